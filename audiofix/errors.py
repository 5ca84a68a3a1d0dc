"""Errors that a user can act on. Each class carries the exit status of the process that it ends.

Messages have the form `WHAT: WHY: what to do`, for example
`take.wav: not audio: describe headerless samples with -e, -r and -c`.
"""

from typing import ClassVar

from audiofix.exit_status import ExitStatus


class AudiofixError(Exception):
    """Something the user can act on. `str(error)` is the whole message."""

    status: ClassVar[ExitStatus] = ExitStatus.FAILURE


class UsageError(AudiofixError):
    """The command line asks for something that makes no sense."""

    status = ExitStatus.USAGE


class SettingsError(UsageError):
    """A settings table holds an unknown key or a value of the wrong kind."""


class InputError(AudiofixError):
    """The input cannot be read, or is not what it says."""

    status = ExitStatus.INPUT


class CheckpointError(AudiofixError):
    """A checkpoint is missing, corrupt, refused, or out of reach offline."""

    status = ExitStatus.CHECKPOINT


class UnknownModel(CheckpointError):
    """No checkpoint has this name."""


class DeviceError(AudiofixError):
    """The device is absent, out of memory, or its library is not built."""

    status = ExitStatus.DEVICE


class OutputError(AudiofixError):
    """The output cannot be written."""

    status = ExitStatus.OUTPUT


class BatchError(AudiofixError):
    """Some files of a batch failed; the others are complete."""

    status = ExitStatus.BATCH

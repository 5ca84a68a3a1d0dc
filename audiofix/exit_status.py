"""The exit statuses of every audiofix command (contract, section 4)."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a finished process tells its shell."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    INPUT = 3
    CHECKPOINT = 4
    DEVICE = 5
    OUTPUT = 6
    BATCH = 7
    INTERRUPTED = 130
    PIPE_CLOSED = 141

    @property
    def meaning(self) -> str:
        """The sentence that man pages print beside the number."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitStatus.DONE: "Done.",
    ExitStatus.FAILURE: "A defect in audiofix; -v shows the traceback.",
    ExitStatus.USAGE: "Wrong usage.",
    ExitStatus.INPUT: "The input cannot be read or is not what it says.",
    ExitStatus.CHECKPOINT: "The checkpoint is missing, corrupt, refused or offline.",
    ExitStatus.DEVICE: "The device is absent or out of memory.",
    ExitStatus.OUTPUT: "The output cannot be written (it exists, disk full, permission).",
    ExitStatus.BATCH: "Some files of a batch failed; the others are complete.",
    ExitStatus.INTERRUPTED: "Interrupted.",
    ExitStatus.PIPE_CLOSED: "The reader of the output went away.",
}

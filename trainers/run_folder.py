"""Files of a run: each is whole or absent, and a full disk is the user's to mend."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from safetensors import SafetensorError

from audiofix.errors import OutputError

_PART = ".part"


@contextmanager
def writing_to(run: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into the run's folder into one error.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    try:
        yield
    # Libraries hide the system's error: torch in a RuntimeError, safetensors in one of its own.
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0]
        raise OutputError(
            f"{run}: cannot be written ({reason}): free some space or mend its permissions, "
            "then go on with --resume"
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends well."""
    part = path.with_name(f".{path.name}.{os.getpid()}{_PART}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(part, flags, 0o666), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_leftovers(run: Path) -> None:
    """Remove what processes that were killed had not finished writing; one run has one writer."""
    for path in run.glob(f".*{_PART}"):
        path.unlink(missing_ok=True)

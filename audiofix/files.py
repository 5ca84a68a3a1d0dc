"""New files that appear under their names whole, or not at all.

Every file that audiofix writes is written here: outputs, checkpoints, run states, reports. Until
it is whole it has a hidden name of its own in the same folder, `.NAME.8 hex digits.audiofix-part`,
made exclusively, so that nothing else is followed, overwritten or shared. Its writer holds a lock
on it. A file of such a name without that lock was left behind by a writer that was killed, and the
next writer of the same NAME deletes it.
"""

import ctypes
import errno
import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from audiofix.errors import OutputError

SUFFIX = ".audiofix-part"
"""How the name of an unfinished file ends."""

_LONGEST_NAME_BYTES = 200
"""Of NAME inside a hidden name: file systems allow 255 bytes in all."""

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NOT_OFFERED = (
    errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EMLINK,
    errno.EXDEV,
)  # fmt: skip
"""What file systems answer that have no hard links, or no renaming without replacement."""


class NewFile:
    """One file on its way to its name. In a `with`: committed on success, discarded on exception.

    Attributes:
        part: where it lies until then.
        file: open on it, for writing and reading.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        """Make the unfinished file.

        Args:
            path: the name it will have.
            overwrite: whether it may replace a file of that name.

        Raises:
            OutputError: it cannot be made.
        """
        self.path = path
        self._overwrite = overwrite
        try:
            remove_left_overs(path)
            self.part, self.file = _exclusive(path)
        except OSError as error:
            raise output_error(path, error) from error

    def commit(self) -> None:
        """Give the file its name.

        Raises:
            OutputError: it could not be written to the end, or the name was taken meanwhile.
        """
        try:
            self.file.flush()
            _synchronise(self.part)  # by name: some libraries replace the file that they are given
            if self._overwrite:
                self.part.replace(self.path)
            else:
                _rename_without_replacing(self.part, self.path)
            _synchronise(self.path.parent)
        except BaseException as error:
            self.discard()
            if isinstance(error, OSError):
                raise output_error(self.path, error) from error
            raise
        self.file.close()

    def discard(self) -> None:
        """Delete what was written."""
        self.part.unlink(missing_ok=True)
        with suppress(OSError):  # a full disk is told once
            self.file.close()

    def __enter__(self) -> "NewFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if kind is None:
            self.commit()
            return
        self.discard()
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise output_error(self.path, error) from error


def write_bytes(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a whole file.

    Raises:
        OutputError: it cannot be written, or exists and may not be replaced.
    """
    with NewFile(path, overwrite=overwrite) as new:
        new.file.write(content)


def check_new_file(path: Path, *, overwrite: bool) -> None:
    """Find out before work is done what `NewFile` would refuse.

    Raises:
        OutputError: it exists and may not be replaced, is a folder, or has no folder.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder: name a file in it")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists: add --overwrite, or name another file")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist: make it first")


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}: choose another folder") from error


def remove_left_overs(path: Path) -> None:
    """Delete unfinished files of this name whose writers are gone."""
    for name in os.listdir(path.parent):  # noqa: PTH208  # glob would read NAME as a pattern
        if name.startswith(_beginning(path)) and name.endswith(SUFFIX):
            _remove_if_abandoned(path.parent / name)


def is_unfinished(path: Path) -> bool:
    """Tell by its name whether a file is still being written, or was left behind."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX)


def output_error(name: object, error: Exception) -> OutputError:
    """Return what to tell the user of an error of the system while writing `name`."""
    number = getattr(error, "errno", None) or 0
    advice = {
        errno.ENOSPC: "free some space",
        errno.EDQUOT: "free some space",
        errno.EFBIG: "write it to a disk that takes larger files",
        errno.EACCES: "choose a folder that you may write to",
        errno.EROFS: "choose a folder that you may write to",
        errno.ENOENT: "make the folder first",
        errno.EEXIST: "add --overwrite, or name another file",
    }.get(number, "name another file")
    what = "exists" if number == errno.EEXIST else getattr(error, "strerror", None) or str(error)
    return OutputError(f"{name}: {what}: {advice}")


def _beginning(path: Path) -> str:
    cut = os.fsencode(path.name)[:_LONGEST_NAME_BYTES]
    return f".{os.fsdecode(cut)}."


def _exclusive(path: Path) -> tuple[Path, BinaryIO]:
    while True:
        part = path.with_name(f"{_beginning(path)}{secrets.token_hex(4)}{SUFFIX}")
        descriptor = os.open(
            part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666
        )
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Between the two calls another writer may have taken it for a left-over and deleted it.
        if os.fstat(descriptor).st_nlink:
            return part, os.fdopen(descriptor, "w+b")
        os.close(descriptor)


def _remove_if_abandoned(part: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if its writer lives
            part.unlink()
        finally:
            os.close(descriptor)


def _rename_without_replacing(part: Path, path: Path) -> None:
    try:
        path.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    else:
        part.unlink()
        return
    try:
        _renameat2(part, path)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        if path.exists():  # a file system with neither: as near as one comes
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        part.rename(path)


def _renameat2(part: Path, path: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = os.fsencode(part), os.fsencode(path)
    if library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # a folder of some network file systems
            raise
    finally:
        os.close(descriptor)

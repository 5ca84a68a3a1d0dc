"""Which input becomes which output, for files and whole trees."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiofix.audio.sniff import SNIFF_BYTES, sniff
from audiofix.audio.types import type_like
from audiofix.errors import InputError, UsageError
from audiofix.files import is_unfinished


@dataclass(frozen=True, slots=True)
class Pair:
    """One file of a batch and what it becomes."""

    source: Path
    result: Path


def pair_files(
    inputs: Sequence[str],
    output: Path,
    kind: str | None,
    takes: Callable[[Path], bool] | None = None,
) -> list[Pair]:
    """Pair every input with its output below the folder `output`.

    A folder among the inputs keeps its tree, and gives only the files in it that `takes` accepts,
    those that are audio by content where it is None. A file named by the user is taken whatever it
    is: if it is of no use, the user learns so. The result has the type `kind`, or that of the input
    where it can be written, or WAV.

    Raises:
        InputError: an input does not exist, or a folder holds no audio.
        UsageError: two inputs would become one output, or an input its own output.
    """
    pairs = [
        Pair(source, output / relative.with_suffix(_suffix(source, kind)))
        for name in inputs
        for source, relative in _files(Path(name), output, takes or is_audio)
    ]
    taken: dict[Path, Path] = {}
    for pair in pairs:
        if pair.source.resolve() == pair.result.resolve():
            raise UsageError(f"{pair.source}: would replace itself: name another output folder")
        if pair.result in taken:
            raise UsageError(
                f"{pair.source} and {taken[pair.result]}: both become {pair.result}: rename one"
            )
        taken[pair.result] = pair.source
    return pairs


def _files(path: Path, output: Path, takes: Callable[[Path], bool]) -> Iterator[tuple[Path, Path]]:
    """Yield each audio file at or below `path`, with its place in the output's tree."""
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"{path}: does not exist: name a file or a folder")
        yield path, Path(path.name)
        return
    found = False
    for file in sorted(path.rglob("*")):
        inside_output = output.resolve() in file.resolve().parents and output != path
        if file.is_file() and not is_unfinished(file) and not inside_output and takes(file):
            found = True
            yield file, file.relative_to(path)
    if not found:
        what = "audio" if takes is is_audio else "codes"
        raise InputError(f"{path}: holds no {what}: name another folder")


def is_audio(path: Path) -> bool:
    """Tell by its first bytes whether a file is audio; one that cannot be read passes for it."""
    return _container(path) not in (None, "afc")


def is_codes(path: Path) -> bool:
    """Tell by its first bytes whether a file holds codes; one that cannot be read passes for it."""
    return _container(path) in ("afc", "unreadable")


def _container(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return sniff(file.read(SNIFF_BYTES))
    except OSError:
        return "unreadable"  # let the batch report why


def _suffix(source: Path, kind: str | None) -> str:
    return f".{kind or type_like(source)}"

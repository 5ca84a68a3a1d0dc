"""Which input becomes which output, for files and whole trees."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audiofix.audio.remote import remote_files, url_of
from audiofix.audio.sniff import SNIFF_BYTES, sniff
from audiofix.audio.types import EXTENSIONS, TYPES, type_like
from audiofix.errors import InputError, UsageError
from audiofix.files import is_unfinished

log = logging.getLogger(__name__)

Wanted = Literal["audio", "codes"]
"""What is looked for in folders."""

NAMES = {f".{extension}" for extension in (*EXTENSIONS, *TYPES)}
"""What the names of audio files end in."""

_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One file of a batch and what it becomes."""

    source: Path
    result: Path


def pair_files(
    inputs: Sequence[str],
    output: Path,
    kind: str | None,
    wanted: Wanted = "audio",
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
        for source, relative in _files(Path(name), output, wanted)
    ]
    taken: dict[Path, Path] = {}
    for pair in pairs:
        if pair.source == pair.result or pair.source.resolve() == pair.result.resolve():
            raise UsageError(f"{pair.source}: would replace itself: name another output folder")
        if pair.result in taken:
            raise UsageError(
                f"{pair.source} and {taken[pair.result]}: both become {pair.result}: rename one"
            )
        taken[pair.result] = pair.source
    return pairs


def _files(path: Path, output: Path, wanted: Wanted) -> Iterator[tuple[Path, Path]]:
    """Yield each wanted file at or below `path`, with its place in the output's tree."""
    url = url_of(path)
    if url:
        below = remote_files(url)
        yield from [(path, Path(path.name))] if below is None else below
        if below == []:
            raise InputError(f"{url}: holds no audio: name another folder")
        return
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"{path}: does not exist: name a file or a folder")
        yield path, Path(path.name)
        return
    found = False
    only_named: list[str] = []
    for file in sorted(path.rglob("*")):
        inside_output = output.resolve() in file.resolve().parents and output != path
        if not file.is_file() or is_unfinished(file) or inside_output:
            continue
        if _CONTENT[wanted](file):
            found = True
            yield file, file.relative_to(path)
        elif wanted == "audio" and file.suffix.lower() in NAMES and not is_codes(file):
            only_named.append(str(file))
    if only_named:
        shown = ", ".join(only_named[:_NAMES_SHOWN]) + ", ..." * (len(only_named) > _NAMES_SHOWN)
        log.warning("%d named as audio hold none: left out: %s", len(only_named), shown)
    if not found:
        raise InputError(f"{path}: holds no {wanted}: name another folder")


def audio_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and below it that are audio by content and whole, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_unfinished(path) and is_audio(path):
            yield path


def is_audio(path: Path) -> bool:
    """Tell by its first bytes whether a file is audio; one that cannot be read passes for it."""
    return _container(path) not in (None, "afc")


def is_codes(path: Path) -> bool:
    """Tell by its first bytes whether a file holds codes; one that cannot be read passes for it."""
    return _container(path) in ("afc", "unreadable")


_CONTENT = {"audio": is_audio, "codes": is_codes}


def _container(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return sniff(file.read(SNIFF_BYTES))
    except OSError:
        return "unreadable"  # let the batch report why


def _suffix(source: Path, kind: str | None) -> str:
    return f".{kind or type_like(source)}"

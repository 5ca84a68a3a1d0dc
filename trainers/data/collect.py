"""A manifest from a list of groups of files: what of which repositories a model is trained on.

    python -m audiofix.trainers.data.collect LIST.toml FOLDER -o manifest.csv

The list has one table `[[files]]` for each group of recordings, with the keys of `Group`; FOLDER
holds the repositories, each under its own name.
"""

import argparse
import csv
import io
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import soundfile

from audiofix.errors import AudiofixError, InputError
from audiofix.files import write_bytes
from audiofix.settings import read_settings

_SHORTEST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """Recordings that are treated alike.

    Attributes:
        split: that they belong to.
        pattern: a glob below the folder.
        among: a text beside the list, of names below the folder: only these files are taken.
        but: globs of files that are left out.
        every: takes the first file of so many, in the order of their names.
        skip: takes all but the first of so many; 0 for all.
        kind: what they are; see `manifest.Recording`.
        band_hz: where their own band ends, 0 for half their rate.
        weight: how often they are drawn, relative to their duration.
    """

    split: str
    pattern: str
    among: str = ""
    but: tuple[str, ...] = ()
    every: int = 1
    skip: int = 0
    kind: str = ""
    band_hz: float = 0.0
    weight: float = 1.0

    def paths(self, folder: Path, beside: Path) -> Sequence[Path]:
        """Return the group's files.

        Args:
            folder: where the repositories are.
            beside: the folder of the list.

        Raises:
            InputError: there are none.
        """
        names = {path.relative_to(folder).as_posix() for path in folder.glob(self.pattern)}
        if self.among:
            names &= set(_text(beside / self.among).splitlines())
        found = [
            folder / name
            for name in sorted(names)
            if not any(Path(name).match(glob) for glob in self.but)
        ]
        if not found:
            raise InputError(f"{folder}: no files {self.pattern}: fetch the repository")
        if self.skip:
            return [path for place, path in enumerate(found) if place % self.skip]
        return found[:: self.every]

    def rows(self, folder: Path, beside: Path) -> Iterator[dict[str, object]]:
        """Yield the rows of a manifest, without recordings that are too short to say anything.

        Raises:
            InputError: there are no files, or one cannot be read.
        """
        columns = {name: asdict(self)[name] for name in ("split", "kind", "weight")}
        for path in self.paths(folder, beside):
            try:
                duration = soundfile.info(path).duration
            except soundfile.LibsndfileError as error:
                raise InputError(f"{path}: {error}: leave it out with `but`") from error
            if duration >= _SHORTEST_SECONDS:
                yield {
                    **columns,
                    "file_path": path,
                    "duration": f"{duration:.4f}",
                    "band_hz": self.band_hz or "",
                }


def groups_of(path: Path) -> Sequence[Group]:
    """Return the groups of a list.

    Raises:
        InputError: there is no such list, or it cannot be read.
        SettingsError: it has a key that is unknown, or of another type.
    """
    try:
        tables = tomllib.loads(_text(path)).get("files", [])
    except ValueError as error:
        raise InputError(f"{path}: {error}: name a list in TOML") from error
    return [read_settings(Group, table, "files.") for table in tables]


def _text(path: Path) -> str:
    """Return what a text file holds.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}: check the name") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a manifest and say how many recordings it has; return the exit status."""
    summary = str(__doc__).partition("\n")[0]
    parser = argparse.ArgumentParser("python -m audiofix.trainers.data.collect", None, summary)
    parser.add_argument("list", type=Path, help="the groups, in TOML")
    parser.add_argument("folder", type=Path, help="where the repositories are")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the manifest")
    given = parser.parse_args(arguments)
    folder = given.folder.absolute()
    try:
        rows = [
            row for group in groups_of(given.list) for row in group.rows(folder, given.list.parent)
        ]
        text = io.StringIO()
        names = ["split", "file_path", "duration", "kind", "band_hz", "weight"]
        table = csv.DictWriter(text, names, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_bytes(given.output, text.getvalue().encode(), overwrite=True)
    except AudiofixError as error:
        print(f"audiofix: {error}", file=sys.stderr)
        return int(error.status)
    print(f"{given.output}: {len(rows)} recordings", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A manifest from a list of folders: which files of public repositories a model was trained on.

    python -m audiofix.trainers.data.collect LIST.toml FOLDER -o manifest.csv

The list has one table `[[files]]` for each group of recordings; FOLDER holds the repositories, each
under its own name. A group's keys are `split`; `pattern`, a glob below FOLDER; and, where needed,
`but`, globs of files that are left out; `every` and `first`, to take each n-th file from one on, in
the order of their names; `skip` instead of `every`, to leave those out; `weight`, `kind` and
`band_hz` as in a manifest.
"""

import argparse
import csv
import io
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from audiofix.files import NewFile

_SHORTEST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """Recordings that are treated alike; see the module."""

    split: str
    pattern: str
    but: tuple[str, ...] = ()
    every: int = 1
    first: int = 0
    skip: int = 0
    weight: float = 1.0
    kind: str = ""
    band_hz: str = ""

    def paths(self, folder: Path) -> Sequence[Path]:
        """Return the group's files below a folder, sorted by name.

        Raises:
            FileNotFoundError: there are none.
        """
        found = sorted(
            path
            for path in folder.glob(self.pattern)
            if not any(path.relative_to(folder).match(glob) for glob in self.but)
        )
        if not found:
            raise FileNotFoundError(f"{folder}: no files {self.pattern}")
        if self.skip:
            return [path for place, path in enumerate(found) if place % self.skip]
        return found[self.first :: self.every]


def groups_of(path: Path) -> Sequence[Group]:
    """Return the groups of a list."""
    with path.open("rb") as file:
        tables = tomllib.load(file)["files"]
    return [Group(**{**table, "but": tuple(table.get("but", ()))}) for table in tables]


def rows_of(groups: Sequence[Group], folder: Path) -> Iterator[dict[str, object]]:
    """Yield the rows of the manifest, without recordings that are too short to say anything."""
    for group in groups:
        for path in group.paths(folder):
            duration = soundfile.info(path).duration
            if duration >= _SHORTEST_SECONDS:
                yield {
                    "split": group.split,
                    "file_path": path,
                    "duration": f"{duration:.4f}",
                    "kind": group.kind,
                    "band_hz": group.band_hz,
                    "weight": group.weight,
                }


def main() -> None:
    """Write a manifest and print how many recordings it has."""
    parser = argparse.ArgumentParser("python -m audiofix.trainers.data.collect")
    parser.add_argument("list", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    asked = parser.parse_args()
    rows = list(rows_of(groups_of(asked.list), asked.folder.absolute()))
    with NewFile(asked.out, overwrite=True) as new:
        text = io.TextIOWrapper(new.file, encoding="utf-8", newline="")
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        text.detach()
    print(f"{asked.out}: {len(rows)} recordings")


if __name__ == "__main__":
    main()

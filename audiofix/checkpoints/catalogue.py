"""Typed reading of `catalogue.toml`: which checkpoints exist, and which one a verb takes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from audiofix.errors import SettingsError, UnknownModel
from audiofix.settings import read_settings


@dataclass(frozen=True, slots=True)
class Part:
    """One of the files that a released model consists of.

    Attributes:
        urls: where to fetch it; later ones are mirrors.
        sha256: of the fetched file, where its source states it.
        bytes: size of the fetched file, where its source states it.
        member: pattern of the part's name inside the fetched archive; None if it is no archive.
    """

    urls: tuple[str, ...]
    sha256: str | None = None
    bytes: int | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue, whole and usable.

    Attributes:
        name: what users call it.
        system: the family that reads it.
        verbs: what it can be used for.
        rate: samples per second of its result.
        channels: channels it processes at once.
        licence: of the weights, in words.
        source: the page it comes from.
        files: its parts, by the names that its system gives them; all are needed.
        config: settings of the network that its tensors do not tell.
        summary: what it is good for, in a few words.
        rank: how good it is among those of its verbs; `-m best` takes the highest.
        shipped: its file inside the package, for those that come with audiofix.
        codebooks: how many a codec has.
    """

    name: str
    system: str
    verbs: tuple[str, ...]
    rate: int
    channels: int
    licence: str
    source: str
    files: Mapping[str, Part] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    summary: str = ""
    rank: int = 0
    shipped: str | None = None
    codebooks: int | None = None

    @property
    def bytes(self) -> int | None:
        """Bytes to fetch in all; None where a source does not state its part's."""
        sizes = {part.urls: part.bytes for part in self.files.values()}.values()
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None


def read_catalogue(text: str) -> Mapping[str, Entry]:
    """Return the entries of a catalogue in TOML.

    Raises:
        SettingsError: it is no TOML, or a table has an unknown key or lacks a needed one.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"catalogue: {error}") from error
    rows = {
        name: read_settings(Entry, {"name": name, **table}, f"catalogue: {name}.")
        for name, table in tables.items()
        if isinstance(table, dict)
    }
    return MappingProxyType(rows)


@cache
def entries() -> Mapping[str, Entry]:
    """Return the whole catalogue, name -> entry, in its own order."""
    return read_catalogue((files(__package__) / "catalogue.toml").read_text(encoding="utf-8"))


def entry(name: str) -> Entry:
    """Return the entry of this name.

    Raises:
        UnknownModel: names the nearest one.
    """
    try:
        return entries()[name]
    except KeyError:
        near = get_close_matches(name, entries(), 1)
        hint = f"did you mean {near[0]}?" if near else "`audiofix models list` shows what exists"
        raise UnknownModel(f"model {name}: unknown: {hint}") from None

"""Settings: nested frozen dataclasses, filled from tables and from `key=value` words."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Self, TypeVar, get_args, get_origin, get_type_hints

from audiofix.errors import SettingsError

T = TypeVar("T")


def read_settings(kind: type[T], given: Mapping[str, Any], prefix: str = "") -> T:
    """Return a `kind` with the values of a nested table; what is not given keeps its default.

    Raises:
        SettingsError: names a key that does not exist, with the nearest one, or a value of the
            wrong type.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Loop:
    ...     steps: int = 10
    >>> read_settings(Loop, {"steps": 3})
    Loop(steps=3)
    """
    every = get_type_hints(kind)
    hints = {field.name: every[field.name] for field in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for key, value in given.items():
        if key not in hints:
            near = get_close_matches(key, hints, 1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"use one of {', '.join(hints)}"
            raise SettingsError(f"{prefix}{key}: no such setting: {hint}")
        values[key] = _converted(hints[key], value, f"{prefix}{key}")
    try:
        return kind(**values)
    except TypeError as error:
        raise SettingsError(f"{prefix or 'settings'}: {error}: check the configuration") from error


class NetworkSettings:
    """Base of dataclasses that hold a network's settings under the names of its authors' files."""

    __slots__ = ()

    FIXED: ClassVar[Mapping[str, object]] = {}
    """Settings of the authors' files that have one value in every release."""

    BESIDE: ClassVar[frozenset[str]] = frozenset()
    """Keys that may stand beside the settings, such as remarks."""

    @classmethod
    def from_mapping(cls, table: object) -> Self:
        """Return the settings that a checkpoint, an authors' or a parity file holds.

        Raises:
            SettingsError: a key is unknown, or a value has the wrong type or is one that no release
                has.
        """
        if not isinstance(table, Mapping):
            raise SettingsError(f"{table!r:.80}: must be a table of settings")
        for name, value in cls.FIXED.items():
            if table.get(name, value) != value:
                raise SettingsError(f"{name}: {table[name]!r}: only {value!r} is supported")
        beside = cls.FIXED.keys() | cls.BESIDE
        return read_settings(cls, {key: table[key] for key in table if key not in beside})


def as_table(settings: Any) -> dict[str, Any]:
    """Return settings as the nested table that `read_settings` reads; None is left out."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with the values of `above` in their places, table by table.

    >>> overlaid({"loop": {"steps": 1, "seed": 2}}, {"loop": {"steps": 9}})
    {'loop': {'steps': 9, 'seed': 2}}
    """
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = overlaid(old, value) if both else value  # type: ignore[arg-type]
    return result


def parse_assignment(word: str) -> dict[str, Any]:
    """Return the table that `key.key=value` means; the value is TOML, or else a bare word.

    Raises:
        SettingsError: there is no `=` or no key.

    >>> parse_assignment("loop.steps=50"), parse_assignment("loop.precision=bf16")
    ({'loop': {'steps': 50}}, {'loop': {'precision': 'bf16'}})
    """
    key, equals, text = word.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or not all(names):
        raise SettingsError(f"--set {word}: not understood: write KEY=VALUE")
    try:
        value: Any = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def _plain(value: Any) -> Any:
    """Return `value` as TOML and JSON have it."""
    if is_dataclass(value):
        return as_table(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _converted(hint: Any, value: Any, name: str) -> Any:
    """Return `value` as the type that `hint` names."""
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name}: {value!r}: must be a table")
        return read_settings(hint, value, f"{name}.")
    choices, origin = get_args(hint), get_origin(hint)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{name}: {value!r}: must be a table")
        return {key: _converted(choices[1], item, f"{name}.{key}") for key, item in value.items()}
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{name}: {value!r}: must be a list")
        kinds = choices[:1] * len(value) if choices[-1] is Ellipsis else choices
        if len(kinds) != len(value):
            raise SettingsError(f"{name}: {value!r}: must hold {len(kinds)} values")
        return tuple(_converted(kind, item, name) for kind, item in zip(kinds, value, strict=True))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type):
        if not isinstance(value, hint) or (isinstance(value, bool) and hint not in (bool, object)):
            raise SettingsError(f"{name}: {value!r}: must be of type {hint.__name__}")
        return value
    for choice in choices:  # of a Literal or a union
        if value == choice and type(value) is type(choice):
            return value
        if isinstance(choice, type) or get_origin(choice):
            try:
                return _converted(choice, value, name)
            except SettingsError:
                continue
    raise SettingsError(f"{name}: {value!r}: must be one of {', '.join(map(str, choices))}")

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from audiofix.errors import SettingsError
from audiofix.settings import NetworkSettings, as_table, overlaid, parse_assignment, read_settings


@dataclass(frozen=True)
class Loop:
    steps: int = 10
    rate: float = 0.5
    precision: Literal["fp32", "bf16"] = "fp32"
    careful: bool = False


@dataclass(frozen=True, slots=True)
class Network(NetworkSettings):
    FIXED = {"norm": "LN"}
    BESIDE = frozenset({"note"})

    layers: tuple[tuple[int, float], ...] = ((1, 0.5),)


@dataclass(frozen=True)
class Settings:
    loop: Loop = field(default_factory=Loop)
    folders: tuple[str, ...] = ("a",)
    limit: float | None = None


def test_reads_nested_tables():
    given = {"loop": {"steps": 3, "rate": 1, "precision": "bf16"}, "folders": ["x"], "limit": 2}
    assert read_settings(Settings, given) == Settings(Loop(3, 1.0, "bf16"), ("x",), 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lop": {}}, "lop: no such setting: did you mean loop?"),
        ({"loop": {"step": 3}}, "loop.step: no such setting: did you mean loop.steps?"),
        ({"zzz": 1}, "zzz: no such setting: use one of loop, folders, limit"),
        ({"loop": 3}, "loop: 3: must be a table"),
        ({"loop": {"steps": 1.5}}, "loop.steps: 1.5: must be of type int"),
        ({"loop": {"steps": True}}, "loop.steps: True: must be of type int"),
        ({"loop": {"precision": "fp64"}}, "loop.precision: 'fp64': must be one of fp32, bf16"),
        ({"folders": "x"}, "folders: 'x': must be a list"),
        ({"folders": [1]}, "folders: 1: must be of type str"),
    ],
)
def test_names_what_is_wrong(given, message):
    with pytest.raises(SettingsError) as caught:
        read_settings(Settings, given)
    assert str(caught.value) == message


def test_networks_are_read_from_the_files_of_their_authors():
    table = {"norm": "LN", "note": "any", "layers": [[2, 1], [3, 0.25]]}
    assert Network.from_mapping(table) == Network(((2, 1.0), (3, 0.25)))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"norm": "BN"}, "norm: 'BN': only 'LN' is supported"),
        ({"layer": []}, "layer: no such setting: did you mean layers?"),
        ({"layers": [[2]]}, "layers: [2]: must hold 2 values"),
        (["layers"], "['layers']: must be a table of settings"),
    ],
)
def test_what_no_network_has_is_refused(table, message):
    with pytest.raises(SettingsError) as caught:
        Network.from_mapping(table)
    assert str(caught.value) == message


def test_a_table_comes_back():
    settings = Settings(Loop(3), ("x", "y"), 2.0)
    assert read_settings(Settings, as_table(settings)) == settings
    assert "limit" not in as_table(Settings())


@pytest.mark.parametrize(
    ("word", "table"),
    [
        ("a=1", {"a": 1}), ("a.b=[1, 2]", {"a": {"b": [1, 2]}}), ("a=x/y=z", {"a": "x/y=z"}),
        ("a=true", {"a": True}), ("a=", {"a": ""}), ('a="1"', {"a": "1"}),
    ],
)  # fmt: skip
def test_assignments(word, table):
    assert parse_assignment(word) == table


@pytest.mark.parametrize("word", ["a", "=1", "a..b=1"])
def test_what_is_no_assignment(word):
    with pytest.raises(SettingsError, match="write KEY=VALUE"):
        parse_assignment(word)


def test_overlaying_replaces_leaves_only():
    below = {"loop": {"steps": 1, "rate": 2.0}, "folders": ["a"]}
    assert overlaid(below, {"loop": {"steps": 5}, "folders": ["b"]}) == {
        "loop": {"steps": 5, "rate": 2.0},
        "folders": ["b"],
    }


@dataclass(frozen=True)
class Optimiser:
    rate: float = 0.1


@dataclass(frozen=True)
class Networks:
    optimisers: Mapping[str, Optimiser] = field(default_factory=dict)


def test_tables_of_any_name_hold_what_their_type_says():
    table = {"optimisers": {"generator": {"rate": 2}, "discriminator": {}}}
    settings = read_settings(Networks, table)
    assert settings.optimisers == {"generator": Optimiser(2.0), "discriminator": Optimiser()}
    expected = {"generator": {"rate": 2.0}, "discriminator": {"rate": 0.1}}
    assert as_table(settings) == {"optimisers": expected}
    with pytest.raises(SettingsError, match="did you mean optimisers.generator.rate"):
        read_settings(Networks, {"optimisers": {"generator": {"rat": 2}}})
    with pytest.raises(SettingsError, match="optimisers: 3: must be a table"):
        read_settings(Networks, {"optimisers": 3})

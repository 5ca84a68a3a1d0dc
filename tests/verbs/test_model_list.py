"""The list of models, for people."""

import re

import pytest

from audiofix.checkpoints.catalogue import entries
from audiofix.verbs.model_list import catalogue_row, list_lines, megabytes


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDIOFIX_CACHE", str(tmp_path))
    return [catalogue_row(entry) for entry in entries().values()]


def test_it_stands_by_verb_and_is_short(rows):
    short, long = list_lines(rows, everything=False), list_lines(rows, everything=True)
    assert len(short) < 48 and max(map(len, long)) <= 115
    assert [line for line in long if line and not line.startswith(" ")] == [
        "upsample", "encode, decode", "decode-restore", "inpaint", "generate", "eval",
    ]  # fmt: skip
    hidden = [name for name in entries() if not any(f" {name} " in line for line in short)]
    assert short[-1] == f"{len(hidden)} more variants: audiofix models list --all"
    assert all(any(f" {name} " in line for line in long) for name in entries())
    shipped = next(line for line in short if "apollo-small-44k" in line)
    assert not any("? MB" in line for line in long)
    packed = next(line for line in long if " vmasr-48k-mpd " in line)
    assert re.search("size unknown +to fetch +runs here", packed)
    assert re.fullmatch(r" +apollo-small-44k +44100 Hz +[\d.]+ MB +ships +runs here +MIT", shipped)


def test_what_does_not_fit_is_said(rows):
    rows[0] |= {"bytes": 10**15}
    rows[0]["runs_here"] = False
    line = list_lines(rows, everything=False)[1]
    assert "1000000000 MB" in line and "needs more memory" in line


@pytest.mark.parametrize(
    ("size", "text"), [(None, "size unknown"), (2_262_312_618, "2262 MB"), (15_300, "0.02 MB")]
)
def test_sizes(size, text):
    assert megabytes(size) == text

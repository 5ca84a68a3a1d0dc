"""Means, JSON and CSV."""

import csv
import json
from io import StringIO

import numpy as np
import pytest

from audiofix.evaluation.comparison import Result
from audiofix.evaluation.findings import (
    Findings,
    as_csv,
    as_json,
    best_methods,
    heading,
    means_of,
    number,
)

VALUES = {("a/x", 8000): 1.0, ("a/y", 8000): 3.0, ("b/z", 8000): 8.0, ("b/z", 16000): np.nan}
RESULTS = tuple(
    Result(name, rate, "model", 48000, 96000, {"snr": value, "lsd": value / 2})
    for (name, rate), value in VALUES.items()
)


def findings(results: tuple[Result, ...] = RESULTS) -> Findings:
    means = means_of(results, ("snr", "lsd"), 0)
    return Findings({"model": "tiny"}, ("snr", "lsd"), {"n_fft": 2048}, results, means)


def test_means_are_of_folders_and_rates_and_then_of_all() -> None:
    found = {(m.group, m.input_rate): (m.files, m.scores["snr"].mean) for m in findings().means}
    assert found.pop(("b", 16000))[0] == found.pop(("(all)", 16000))[0] == 1
    assert found == {("a", 8000): (2, 2.0), ("b", 8000): (1, 8.0), ("(all)", 8000): (3, 4.0)}


def test_one_folder_has_one_mean() -> None:
    assert [mean.group for mean in means_of(RESULTS[:2], ("snr",), 0)] == ["(all)"]


def test_json_holds_everything_and_null_for_what_is_not_defined() -> None:
    document = json.loads(as_json(findings()))
    assert document["subject"] == {"model": "tiny"}
    assert document["lsd"] == {"n_fft": 2048}
    assert document["metrics"]["snr"] == {"unit": "dB", "best": "highest"}
    assert document["results"][1]["scores"] == {"snr": 3.0, "lsd": 1.5}
    assert document["results"][3]["scores"] == {"snr": None, "lsd": None}
    mean = next(m for m in document["means"] if m["group"] == "a")
    assert mean["scores"]["snr"]["mean"] == 2
    assert 1 <= mean["scores"]["snr"]["low"] < mean["scores"]["snr"]["high"] <= 3


def test_csv_has_a_row_for_each_result() -> None:
    rows = list(csv.DictReader(StringIO(as_csv(findings()))))
    assert [row["name"] for row in rows] == ["a/x", "a/y", "b/z", "b/z"]
    assert (rows[0]["group"], rows[0]["input_rate"], rows[0]["snr"]) == ("a", "8000", "1.0")
    assert rows[3]["lsd"] == ""


@pytest.mark.parametrize(
    ("metric", "head"), [("snr", "SNR dB ↑"), ("lsd", "LSD ↓"), ("loudness", "Loudness LU →0")]
)
def test_heads_say_which_way_is_better(metric: str, head: str) -> None:
    assert heading(metric) == head


def test_the_heads_of_distances_name_their_definition() -> None:
    assert heading("lsd-hf", "standard") == "LSD-HF (standard) ↓"
    assert heading("snr", "standard") == "SNR dB ↑"


def test_the_best_method_of_each_rate_is_found() -> None:
    def result(rate: int, method: str, **scores: float) -> Result:
        return Result("x", rate, method, 48000, 1, scores)

    results = (
        result(8000, "sinc", snr=20.0, lsd=3.0, delay=-1.0),
        result(8000, "model", snr=18.0, lsd=1.0, delay=2.0),
        result(16000, "sinc", snr=20.001, lsd=np.nan, delay=np.nan),
        result(16000, "model", snr=20.0, lsd=1.0, delay=np.nan),
    )
    metrics = ("snr", "lsd", "delay")
    found = Findings({}, metrics, {}, results, means_of(results, metrics, 0))
    assert best_methods(found) == {
        ("(all)", 8000, "", "sinc", "snr"),
        ("(all)", 8000, "", "model", "lsd"),
        ("(all)", 8000, "", "sinc", "delay"),
        ("(all)", 16000, "", "sinc", "snr"),  # printed alike
        ("(all)", 16000, "", "model", "snr"),
    }


def test_numbers_for_people() -> None:
    assert (number("snr", 12.345), number("lsd", 1.0), number("lsd", np.nan)) == (
        "12.35", "1.000", "–",
    )  # fmt: skip

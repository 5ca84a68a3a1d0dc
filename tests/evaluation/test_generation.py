import csv
import io
import json

import numpy as np
import pytest
import soundfile

from audiofix.backends.tasks import Classification, GenerateRequest, Latents
from audiofix.errors import InputError
from audiofix.evaluation.generation import (
    evaluate_generator,
    scores_csv,
    scores_json,
    scores_table,
)

RATE = 800


class Levels:
    """Classifies a recording by its level: tenths of full scale are its class, all ten of them."""

    name, rate, labels = "levels", RATE, 10

    def classify(self, sound):
        level = np.abs(sound).max(1)
        probabilities = np.full((len(sound), 10), 0.005)
        probabilities[np.arange(len(sound)), np.minimum(9, (level * 10).astype(int))] = 0.955
        noise = np.random.default_rng(int(level.sum() * 1e6)).standard_normal((len(sound), 3))
        return Classification((noise + level[:, None]).astype(np.float32), probabilities)


class Cycle:
    """Makes recordings of every level in turn, its latents saying which."""

    name, rate = "cycle", RATE

    def __init__(self, levels):
        self._levels = levels

    def latents(self, request):
        rows = [[self._levels[k % len(self._levels)]] * 2 for k in range(request.count)]
        return Latents("z", np.array(rows, np.float32))

    def samples(self, request: GenerateRequest):
        for row in self.latents(request).values:
            yield np.full((1, RATE // 2), row[0], np.float32)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    paths = {"train": [], "validation": []}
    for number in range(90):
        path = folder / f"{number}.wav"
        soundfile.write(path, np.full(500, number % 10 / 10 + 0.05), RATE, subtype="FLOAT")
        paths["train" if number < 60 else "validation"].append(path)
    return paths


LEVELS = [number / 10 + 0.05 for number in range(10)]


def test_a_generator_of_all_classes_scores_as_real_recordings_do(real):
    done = []
    found = evaluate_generator(Cycle(LEVELS), Levels(), real, count=100, progress=done.append)
    made = found["generated"]
    assert done == list(range(1, 101)) and made.recordings == 100
    assert made.sure == 1 and made.classes == (0.1,) * 10
    assert made.inception_score == pytest.approx(found["held-out"].inception_score, rel=0.3)
    assert made.am_score == pytest.approx(found["held-out"].am_score, abs=0.01)
    assert found["held-out"].linear_separability is None
    collapsed = evaluate_generator(Cycle([0.05]), Levels(), real, count=100)["generated"]
    assert collapsed.classes[0] == 1 and collapsed.inception_score == pytest.approx(1)
    assert collapsed.am_score > made.am_score + 1


def test_reports_hold_the_scores(real):
    found = evaluate_generator(Cycle(LEVELS), Levels(), real, count=100)
    read = json.loads(scores_json(found, {"model": "cycle"}))
    assert read["model"] == "cycle"
    assert read["scores"]["generated"]["sure"] == 1
    rows = list(csv.DictReader(io.StringIO(scores_csv(found))))
    assert [row["recordings_of"] for row in rows] == ["generated", "held-out"]
    assert float(rows[0]["class 3"]) == pytest.approx(0.1)
    lines = scores_table(found).splitlines()
    assert lines[0].split() == ["generated", "held-out"] and len(lines) == 19
    assert lines[-1].startswith("linear_separability") and lines[-1].endswith("–")


def test_too_few_recordings_are_refused(real):
    with pytest.raises(InputError, match="100 recordings at least"):
        evaluate_generator(Cycle(LEVELS), Levels(), real, count=50)

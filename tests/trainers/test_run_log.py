import json
import sys

import numpy as np
import pytest
import soundfile
from audiofix.trainers.run_log import LOG_FILE, Example, RunLog, drop_later_lines, picture
from matplotlib.image import imread
from stages import noise

from audiofix.errors import UsageError


@pytest.mark.parametrize("sound", [noise(1, 9600), np.zeros((1, 9600), np.float32), noise(1, 100)])
def test_examples_can_be_heard_and_seen(tmp_path, sound):
    example = Example("clip", 48000, {"input": sound / 2, "target": sound})
    journal = RunLog(tmp_path, pictures=True)
    journal.example(12, example)
    journal.close()
    read, rate = soundfile.read(tmp_path / "examples/clip-0000012-target.flac", dtype="float32")
    assert rate == 48000
    assert np.abs(read - sound[0]).max() < 2**-22
    pixels = imread(tmp_path / "examples/clip-0000012.png")
    assert pixels.shape[:2] == (400, 800)


def test_the_picture_shows_a_tone_at_its_height():
    tone = np.sin(2 * np.pi * 6000 * np.arange(9600) / 48000)[None].astype(np.float32)
    _, spectrogram = picture(Example("tone", 48000, {"target": tone})).axes
    (shown,) = spectrogram.get_images()
    levels = shown.get_array().mean(axis=1)
    left, right, bottom, top = shown.get_extent()
    hertz = top - (levels.argmax() + 0.5) / levels.size * (top - bottom)
    assert hertz == pytest.approx(6000, abs=100)
    assert (left, right) == pytest.approx((0, 0.2))


def test_a_resumed_log_has_each_step_once(tmp_path):
    journal = RunLog(tmp_path)
    for step in (1, 2, 3):
        journal.numbers(step, {"loss": 1 / step})
    journal.close()
    log = tmp_path / LOG_FILE
    log.write_text(log.read_text() + '{"step": 4, "lo')  # as a kill leaves it
    drop_later_lines(log, 2)
    journal = RunLog(tmp_path)
    journal.numbers(3, {"loss": 5.0})
    journal.close()
    found = [json.loads(line) for line in log.read_text().splitlines()]
    assert found == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}, {"step": 3, "loss": 5.0}]


@pytest.mark.parametrize(
    ("asked", "package"),
    [({"wandb": "p"}, "wandb"), ({"tensorboard": True}, "tensorboard")],
)
def test_what_is_not_installed_is_said_at_once(tmp_path, asked, package, monkeypatch):
    # None in the table of modules is how Python itself marks what cannot be imported.
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=rf"^{package}: not installed: pip install"):
        RunLog(tmp_path, **asked)


def test_tensorboard_can_read_what_was_written(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    journal = RunLog(tmp_path, pictures=True, tensorboard=True)
    journal.numbers(3, {"loss": 0.25})
    journal.example(3, Example("clip", 8000, {"target": noise(1, 4000)}))
    journal.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(3, 0.25)]
    assert [e.step for e in events.Images("clip")] == [3]
    assert [e.sample_rate for e in events.Audio("clip/target")] == [8000]

"""The shipped A2SB: its figures are in its model card."""

from pathlib import Path

import numpy as np
import soundfile

from audiofix.audio.format import AudioFormat
from audiofix.backends.chosen import chosen_model
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import InpaintRequest
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter

SPEECH = Path(__file__).parents[1] / "demo" / "speech16k.flac"


def test_it_fills_a_gap_of_a_voice_far_better_than_silence_and_is_not_the_default():
    assert chosen_model("inpaint", None) == "autoregressive"
    x, rate = soundfile.read(SPEECH, dtype="float32")
    x = x[None, rate : 3 * rate]
    gap = slice(round(0.95 * rate), round(1.1 * rate))
    damaged = x.copy()
    damaged[:, gap] = 0
    inpainter = load("inpaint", "a2sb-small-44k", place("cpu"))
    stage = inpainter.stage(AudioFormat(rate, 1), InpaintRequest(((0.95, 1.1),)))
    y = np.concatenate([stage.push(damaged), stage.flush()], axis=1)
    outside = np.ones(x.shape[1], bool)
    outside[gap] = False
    assert np.array_equal(y[:, outside], x[:, outside])
    distances = []
    for made in (y, damaged):
        meter = SpectralMeter(DEFINITIONS["standard"], rate, 1)
        meter.push(made[:, gap], x[:, gap])
        distances.append(meter.values()["lsd"])
    assert distances[0] < 0.6 * distances[1]
    level = 20 * np.log10(np.std(y[:, gap]) / np.std(x[:, gap]))
    assert abs(level) < 15

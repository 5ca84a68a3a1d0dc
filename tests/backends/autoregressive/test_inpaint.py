import numpy as np
import pytest
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import InpaintRequest
from audiofix.errors import UsageError

REQUEST = InpaintRequest(((0.05, 0.06), (0.2, 0.3)), seed=3)


def inpainter(name=None):
    return load("inpaint", name, place("cpu"))


def test_it_is_the_default_and_needs_no_checkpoint():
    assert inpainter().name == inpainter("autoregressive").name == "autoregressive"


def test_laws():
    source = AudioFormat(8000, 2)
    check_stage(lambda: inpainter().stage(source, REQUEST), lengths=(399, 401, 2000, 2401, 4001))


def test_the_seed_decides_and_channels_differ():
    source = AudioFormat(8000, 2)
    x = np.repeat(noise(1, 4000), 2, axis=0)
    made = [
        feed(inpainter().stage(source, InpaintRequest(((0.2, 0.3),), seed=seed)), x, [4000])
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])
    assert not np.array_equal(made[0][0], made[0][1])


def test_it_has_no_steps():
    with pytest.raises(UsageError, match="--steps"):
        inpainter().stage(AudioFormat(8000, 1), InpaintRequest(steps=3))

import numpy as np
import pytest
from audiofix.trainers.data.band import BandSettings, take_band
from stages import noise

from audiofix.errors import SettingsError

ONLY = {
    way: BandSettings(**{"soxr": 0.0, "polyphase": 0.0, "filter": 0.0, way: 1.0})
    for way in ("soxr", "polyphase", "filter")
}


@pytest.mark.parametrize("way", ONLY)
@pytest.mark.parametrize("seed", range(4))
def test_a_clip_comes_back_from_the_low_rate_in_place(way, seed):
    clip = noise(1, 24000)
    back = take_band(clip, 48000, 16000, ONLY[way], np.random.default_rng(seed))
    assert back.shape == clip.shape and back.dtype == np.float32
    wanted, found = np.fft.rfft(clip[0]), np.fft.rfft(back[0])
    low = slice(100, 2000)  # 200 Hz to 4 kHz; Bessel filters fall early
    size = np.linalg.norm(wanted[low]) * np.linalg.norm(found[low])
    assert np.vdot(wanted[low], found[low]).real / size > 0.99
    high = slice(8000, None)  # from 16 kHz on; an elliptic filter stops by 20 dB twice
    assert np.linalg.norm(found[high]) < 0.1 * np.linalg.norm(wanted[high])


def test_draws_come_from_what_was_named():
    generator = np.random.default_rng(0)
    settings = BandSettings(rates=(8000, 16000), soxr=1.0, polyphase=0.0, filter=1.0)
    assert {settings.draw_rate(generator) for _ in range(50)} == {8000, 16000}
    assert {settings.draw_way(generator) for _ in range(50)} == {"soxr", "filter"}
    anything = BandSettings(rates=(8000, 48000), any_rate=True)
    rates = [anything.draw_rate(generator) for _ in range(200)]
    assert min(rates) >= 8000 and max(rates) <= 48000 and len(set(rates)) > 150
    assert {settings.draw_rate(generator, 15999) for _ in range(50)} == {8000}
    assert settings.draw_rate(generator, 100) == anything.draw_rate(generator, 100) == 8000
    assert max(anything.draw_rate(generator, 20_000.5) for _ in range(200)) in range(15000, 20001)


def test_a_full_rate_leaves_the_clip_alone():
    clip = noise(1, 100)
    assert take_band(clip, 48000, 48000, BandSettings(), np.random.default_rng(0)) is clip


@pytest.mark.parametrize("way", ONLY)
def test_silence_stays_finite(way):
    clip = np.zeros((1, 4800), np.float32)
    back = take_band(clip, 48000, 8000, ONLY[way], np.random.default_rng(0))
    assert np.abs(back).max() < 1e-4  # the dither of 16 bits


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rates": ()}, "data.band.rates"),
        ({"soxr": 0.0, "polyphase": 0.0}, "a weight above 0"),
        ({"soxr": -1.0}, "a weight above 0"),
    ],
)
def test_refuses_what_nothing_can_be_drawn_from(given, message):
    with pytest.raises(SettingsError, match=message):
        BandSettings(**given)

import numpy as np
import pytest

from audiofix.audio.format import AudioFormat
from audiofix.dsp.gap_finder import GapFinder
from audiofix.errors import InputError
from audiofix.streaming.gaps import Gap

RATE = 16000
MONO = AudioFormat(RATE, 1)


def sound(samples=3 * RATE, seed=0):
    """Tones with a little noise, 16-bit."""
    t = np.arange(samples) / RATE
    rng = np.random.default_rng(seed)
    x = 0.2 * np.sin(2 * np.pi * 310 * t) + 0.1 * np.sin(2 * np.pi * 1207 * t)
    return np.round((x + 0.002 * rng.standard_normal(samples)) * 32768)[None] / 32768


def gaps_in(x, sizes=None, source=MONO):
    finder, found, start = GapFinder(source), [], 0
    for size in sizes or [x.shape[1]]:
        found += finder.push(x[:, start : start + size])
        start += size
    return found + finder.flush()


def test_a_clean_sound_has_none():
    assert gaps_in(sound()) == []


@pytest.mark.parametrize("samples", [30, 400, 16000])
@pytest.mark.parametrize(("value", "what"), [(0.0, "silence"), (0.05, "held")])
def test_dropouts(samples, value, what):
    x = sound()
    x[0, 20000 : 20000 + samples] = value
    assert gaps_in(x) == [Gap(20000, 20000 + samples, (0,), what)]


def test_nan_and_infinity_of_any_length():
    x = sound()
    x[0, 5000], x[0, 20000:20500], x[0, 47990:] = np.nan, np.inf, np.nan
    assert gaps_in(x) == [
        Gap(5000, 5001, (0,), "not finite"),
        Gap(20000, 20500, (0,), "not finite"),
        Gap(47990, 48000, (0,), "not finite"),
    ]
    with pytest.raises(InputError, match="cut the recording"):
        gaps_in(np.full((1, 12 * RATE), np.nan))


@pytest.mark.parametrize("samples", [1, 3, 10])
def test_clicks(samples):
    x = sound()
    x[0, 20000 : 20000 + samples] += 0.5
    (gap,) = gaps_in(x)
    assert gap.what == "click"
    assert (gap.start, gap.end) == (20000, 20000 + samples)


def test_silence_that_is_meant_is_left_alone():
    x = sound()
    x[0, :4000] = x[0, -4000:] = 0  # at the ends
    ramp = np.linspace(1, 0, 2000) ** 2
    x[0, 18000:20000] *= ramp  # a fade, and its way back
    x[0, 20000:24000] = 0
    x[0, 24000:26000] *= ramp[::-1]
    assert gaps_in(np.round(x * 32768) / 32768) == []


def test_a_pause_is_longer_than_a_gap():
    x = sound(6 * RATE)
    x[0, 20000 : 20000 + 2 * RATE + 1] = 0
    assert gaps_in(x) == []


def test_clipped_peaks_square_waves_and_quiet_steps_are_no_gaps():
    t = np.arange(2 * RATE) / RATE
    assert gaps_in((2 * np.sin(2 * np.pi * 40 * t)).clip(-0.9, 0.9)[None]) == []
    assert gaps_in(0.5 * np.sign(np.sin(2 * np.pi * 50 * t + 0.1))[None]) == []
    assert gaps_in(np.round(0.02 * np.sin(2 * np.pi * 100 * t) * 127)[None] / 127) == []


def test_an_attack_is_no_click():
    x = 0.001 * sound(seed=2)
    x[0, 20000:] += sound(seed=3)[0, 20000:]
    assert gaps_in(x) == []


def test_channels_and_cuts():
    x = np.concatenate([sound(seed=4), sound(seed=5)])
    x[:, 10000:10200] = 0
    x[1, 30000:30100] = 0
    source = AudioFormat(RATE, 2)
    expected = [Gap(10000, 10200, (0, 1), "silence"), Gap(30000, 30100, (1,), "silence")]
    assert gaps_in(x, source=source) == expected
    for sizes in ([1000] * 48, [9999, 2, 20000, 17999], [0, 48000]):
        assert gaps_in(x, sizes, source) == expected

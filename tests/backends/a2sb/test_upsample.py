from dataclasses import replace

import numpy as np
import pytest
from backends.a2sb.models import BRIDGE, CPU, checkpoint
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.a2sb.upsample import Upsampler
from audiofix.backends.tasks import UpsampleRequest
from audiofix.errors import UsageError

RATE = 44100


@pytest.fixture(scope="module")
def upsampler():
    return Upsampler(checkpoint(replace(BRIDGE, deterministic=True)), CPU)


def low_passed(x, cutoff_hz):
    spectrum = np.fft.rfft(x)
    spectrum[:, int(cutoff_hz * x.shape[1] / RATE) :] = 0
    return np.fft.irfft(spectrum, x.shape[1]).astype(np.float32)


def test_laws_at_the_models_rate(upsampler):
    request = UpsampleRequest(RATE, 8000.0)
    check_stage(
        lambda: upsampler.stage(AudioFormat(RATE, 1), request),
        lengths=(15, 16, 17, 127, 128, 129, 1009),
        single_samples=200,
    )


@pytest.mark.parametrize(("source", "to"), [(16000, 48000), (96000, 44100), (44100, 96000)])
def test_lengths_at_other_rates(upsampler, source, to):
    x = noise(2, 3001)
    stage = upsampler.stage(AudioFormat(source, 2), UpsampleRequest(to, 4000.0))
    y = feed(stage, x, [1000, 2001])
    assert y.shape == (2, (2 * 3001 * to + source) // (2 * source))
    assert np.isfinite(y).all()


def test_what_lies_below_the_cutoff_is_the_inputs(upsampler):
    t = np.arange(12000) / RATE
    x = (0.3 + 0.3 * np.sin(2 * np.pi * 1500 * t))[None].astype(np.float32)
    stage = upsampler.stage(AudioFormat(RATE, 1), UpsampleRequest(RATE, 8000.0))
    added = feed(stage, x, [12000]) - x
    spectrum = np.abs(np.fft.rfft(added[0] * np.hanning(12000)))
    edge = int(7000 * 12000 / RATE)
    assert spectrum[:edge].sum() < 1e-3 * spectrum[edge:].sum()
    assert np.abs(added).max() > 1e-3


def test_channels_that_are_alike_stay_alike_and_seeds_differ(upsampler):
    x = np.repeat(noise(1, 2000), 2, axis=0)
    made = [
        feed(
            upsampler.stage(AudioFormat(RATE, 2), UpsampleRequest(RATE, 8000.0, seed=seed)),
            x,
            [2000],
        )
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(made[0][0], made[0][1])
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])


def test_what_is_made_is_as_wide_as_what_is_there(upsampler):
    """One noise for all channels: their bands correlate. With a noise each they would not."""
    together, apart = noise(1, 6000, 5), noise(2, 6000, 6)
    x = low_passed(together + 0.3 * apart, 7000)

    def added(sound, seed=0):
        source = AudioFormat(RATE, len(sound))
        request = UpsampleRequest(RATE, 8000.0, seed=seed)
        return feed(upsampler.stage(source, request), sound, [6000]) - sound

    def correlation(left, right):
        return np.corrcoef(left, right)[0, 1]

    assert correlation(*added(x)) > 0.8
    separate = added(x[:1], seed=1)[0], added(x[1:], seed=2)[0]
    assert abs(correlation(*separate)) < 0.3


@pytest.mark.slow
def test_a_found_cutoff_does_not_hang_on_the_chunks(upsampler):
    x = noise(1, 30000)
    x = low_passed(noise(1, 30000), 5000)
    whole, cut = (
        feed(upsampler.stage(AudioFormat(RATE, 1), UpsampleRequest(RATE)), x, sizes)
        for sizes in ([30000], [999] * 30 + [30])
    )
    assert np.array_equal(whole, cut)


def test_silence_stays_silence(upsampler):
    x = noise(1, 4000)
    x[:, 1000:] = 0
    stage = upsampler.stage(AudioFormat(RATE, 1), UpsampleRequest(RATE, 8000.0))
    y = feed(stage, x, [4000])
    assert np.abs(y[:, :1000] - x[:, :1000]).max() > 1e-3
    assert not y[:, 1500:].any()


def test_requests_that_cannot_be(upsampler):
    with pytest.raises(UsageError, match="cutoff"):
        upsampler.stage(AudioFormat(8000, 1), UpsampleRequest(RATE, 5000.0))
    with pytest.raises(UsageError, match="two at least"):
        upsampler.stage(
            AudioFormat(RATE, 1), UpsampleRequest(RATE, steps=1, sampler="published")
        ).push(noise(1, 10))

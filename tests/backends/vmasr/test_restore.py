from itertools import product

import numpy as np
import pytest
import torch
from stages import check_stage, cuts, feed, noise
from tiny import tiny_checkpoint

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.vmasr.restore import VMASRRestorer, edge_bin
from audiofix.backends.vmasr.scan2d import SS2D
from audiofix.errors import InputError, UsageError


@pytest.fixture(scope="module")
def restorer(tmp_path_factory):
    path = tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny.safetensors")
    return load("upsample", str(path), place("cpu"), rate=48000)


def upsample(restorer, x, rate, to, **request):
    stage = restorer.stage(AudioFormat(rate, len(x)), UpsampleRequest(to, **request))
    return feed(stage, x, [x.shape[1]])


RATES = list(product([8000, 11025, 16000, 22050, 24000, 44100], [16000, 44100, 48000]))


@pytest.mark.parametrize(("rate", "to"), RATES)
def test_lengths_are_exact(restorer, rate, to):
    """30 odd lengths in 1, 2 and 6 channels. Silence takes every step but the network's."""
    lengths = [*range(1, 30, 2), 999, 1001, 4095, 4097, 5003, 7919, 8191, 12345, 16383, 20011,
               24593, 30011, 40961, 50021, 65537]  # fmt: skip
    assert len(lengths) == 30
    for samples in lengths:
        for channels in (1, 2, 6) if samples < 8000 else (1,):
            y = upsample(restorer, np.zeros((channels, samples), np.float32), rate, to)
            assert y.shape == (channels, (2 * samples * to + rate) // (2 * rate))


@pytest.mark.parametrize(("rate", "to", "channels"), [(11025, 44100, 1), (16000, 48000, 2)])
def test_sound_in_any_cut_gives_the_same_bits(restorer, rate, to, channels):
    x = noise(channels, int(rate * 3.3))
    whole = upsample(restorer, x, rate, to)
    assert whole.shape == (channels, (2 * x.shape[1] * to + rate) // (2 * rate))
    for sizes in list(cuts(x.shape[1]))[1:]:
        stage = restorer.stage(AudioFormat(rate, channels), UpsampleRequest(to))
        assert np.array_equal(feed(stage, x, sizes), whole)


def test_keeps_the_laws_on_silence(restorer):
    check_stage(
        lambda: restorer.stage(AudioFormat(24000, 1), UpsampleRequest(44100)),
        lengths=[],
        single_samples=50,
    )


def tone(rate, hertz, seconds=3.0):
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate))[None].astype(
        np.float32
    )


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_below_the_edge_the_result_is_the_input_in_place_and_level(restorer, rate):
    """A tone in the kept band comes back as the tone at the new rate, whatever the network adds."""
    y = upsample(restorer, tone(rate, 1000), rate, 48000)[0]
    expected = tone(48000, 1000)[0]
    spectrum = np.fft.rfft((y - expected)[24000:-24000] * np.hanning(len(y) - 48000))
    hertz = np.fft.rfftfreq(len(y) - 48000, 1 / 48000)
    kept = hertz < 0.85 * rate / 2
    level = np.abs(np.fft.rfft(expected[24000:-24000] * np.hanning(len(y) - 48000))).max()
    assert np.abs(spectrum[kept]).max() < 1e-4 * level


def test_the_network_is_heard_above_the_edge(restorer):
    x = noise(1, 16000)
    y = upsample(restorer, x, 16000, 48000)[0]
    power = np.abs(np.fft.rfft(y)) ** 2
    hertz = np.fft.rfftfreq(len(y), 1 / 48000)
    assert power[hertz > 9000].sum() > 1e-4 * power.sum()


def test_a_channel_does_not_depend_on_its_neighbours(restorer):
    x = noise(3, 8000)
    together = upsample(restorer, x, 8000, 48000, cutoff_hz=4000.0)
    alone = [upsample(restorer, row[None], 8000, 48000, cutoff_hz=4000.0) for row in x]
    assert np.array_equal(together, np.concatenate(alone))


def test_a_full_band_input_passes_unchanged(restorer):
    x = noise(2, 130_000)
    assert np.array_equal(upsample(restorer, x, 48000, 48000), x)
    limited = upsample(restorer, x, 48000, 48000, cutoff_hz=6000.0)
    assert not np.allclose(limited, x, atol=1e-3)


def test_a_low_passed_input_is_found_out(restorer):
    import soxr

    x = soxr.resample(soxr.resample(noise(1, 144_000)[0], 48000, 16000), 16000, 48000)[None]
    found = upsample(restorer, x, 48000, 48000)
    told = upsample(restorer, x, 48000, 48000, cutoff_hz=8000.0)
    power = [np.abs(np.fft.rfft(y[0]))[len(y[0]) // 4 :].sum() for y in (x, found, told)]
    assert power[1] > 10 * power[0] and power[2] > 10 * power[0]


@pytest.mark.parametrize(
    ("rate", "request_", "error", "message"),
    [
        (16000, UpsampleRequest(48000, steps=5), UsageError, "no diffusion model"),
        (16000, UpsampleRequest(48000, cutoff_hz=9000.0), UsageError, "0 to 8000 Hz"),
        (11, UpsampleRequest(48000), InputError, "below 1000 Hz"),
    ],
)
def test_requests_that_make_no_sense(restorer, rate, request_, error, message):
    with pytest.raises(error, match=message):
        restorer.stage(AudioFormat(rate, 1), request_)


def test_edge_bin_leaves_the_slope_of_resamplers_out():
    assert edge_bin(8000, 48000, 513) == int(0.94 * 171)
    assert edge_bin(24000, 48000, 513) == 482
    assert edge_bin(99999, 48000, 513) == 513


@torch.no_grad()
def test_half_precision_on_the_cpu_is_the_same_up_to_rounding():
    """Under autocast products come out in bfloat16, which the float32 kernels must not be given."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        operator, x = SS2D(8), torch.randn(1, 16, 24, 8)
    exact = operator(x)
    with torch.autocast("cpu", torch.bfloat16):
        half = operator(x).float()
    assert (half - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(("filled", "frames"), [(False, 512), (True, 256)])
def test_windows_are_as_long_as_measures_best(restorer, filled, frames):
    """Released models take those of their training; ours, which fill the band first, half."""
    network, placement = restorer.network, restorer.placement
    own = VMASRRestorer("own", 48000, network, placement, filled=filled)
    stage = own.stage(AudioFormat(48000, 1), UpsampleRequest(48000, cutoff_hz=8000.0))
    assert stage.latency == (frames - 1) * network.config.hop_length

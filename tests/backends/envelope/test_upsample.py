import numpy as np
import pytest
import torch
from envelopes import CONFIG, mono, tiny_network, tiny_restorer
from stages import cuts, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.weights import Checkpoint, save_checkpoint
from audiofix.errors import CheckpointError, InputError, UsageError
from audiofix.settings import as_table


def upsample(x, rate, to, sizes=None, **request):
    stage = tiny_restorer().stage(AudioFormat(rate, len(x)), UpsampleRequest(to, **request))
    return feed(stage, x, sizes or [x.shape[1]])


@pytest.mark.parametrize(
    ("rate", "to"), [(8000, 48000), (11025, 44100), (44100, 48000), (48000, 44100), (16000, 96000)]
)
def test_lengths_are_exact(rate, to):
    for samples in (0, 1, 2, 999, 7919):
        y = upsample(np.zeros((2, samples), np.float32), rate, to)
        assert y.shape == (2, (2 * samples * to + rate) // (2 * rate))


def test_any_cut_gives_the_same_bits():
    x = noise(2, 9000)
    whole = upsample(x, 8000, 48000)
    for sizes in cuts(9000):
        assert np.array_equal(upsample(x, 8000, 48000, sizes), whole)


def tone(rate, hertz, seconds=1.0):
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate))[None].astype(
        np.float32
    )


@pytest.mark.parametrize(("rate", "hertz"), [(8000, 1000), (16000, 7000), (24000, 10000)])
def test_a_tone_in_the_kept_band_comes_back_in_place_and_level(rate, hertz):
    y = upsample(tone(rate, hertz), rate, 48000)
    error = (y - tone(48000, hertz))[0, 4800:-4800]
    assert np.abs(error).max() < 0.01


def test_no_image_is_left_and_the_band_is_filled():
    x = noise(1, 16000)
    y = upsample(x, 16000, 48000)[0]
    level = 20 * np.log10(np.abs(np.fft.rfft(y * np.hanning(y.size)))[:24000] + 1e-9)
    means = level.reshape(24, 1000).mean(axis=1)
    assert means[2:7].std() < 1
    image = tone(16000, 6500)
    y = upsample(image, 16000, 48000)[0]
    spectrum = np.abs(np.fft.rfft(y * np.hanning(y.size)))
    assert spectrum[9400:9600].max() < 1e-4 * spectrum[6500]


@pytest.mark.parametrize(
    ("rate", "request_", "error", "match"),
    [
        (16000, {"steps": 5}, UsageError, "--steps"),
        (500, {}, InputError, "500 Hz"),
        (16000, {"cutoff_hz": 9000.0}, UsageError, "--cutoff"),
    ],
)
def test_senseless_requests_are_refused(rate, request_, error, match):
    with pytest.raises(error, match=match):
        tiny_restorer().stage(mono(rate), UpsampleRequest(48000, **request_))


def test_a_live_stream_waits_for_less_than_a_tenth_of_a_second():
    stage = tiny_restorer().stage(mono(8000), UpsampleRequest(48000))
    assert stage.latency < 800


def test_a_checkpoint_is_opened_by_its_system(tmp_path):
    path = tmp_path / "tiny.safetensors"
    network = tiny_network()
    config = {**as_table(CONFIG), "rate": 48000}
    save_checkpoint(path, Checkpoint("tiny", "envelope", config, network.state_dict(), str(path)))
    restorer = load("upsample", str(path), place("cpu"), rate=48000)
    x = noise(1, 8000)
    y = feed(restorer.stage(mono(16000), UpsampleRequest(48000)), x, [8000])
    assert np.array_equal(y, upsample(x, 16000, 48000))
    with pytest.raises(CheckpointError, match="cannot encode"):
        load("encode", str(path), place("cpu"))
    assert isinstance(restorer.network, torch.nn.Module)

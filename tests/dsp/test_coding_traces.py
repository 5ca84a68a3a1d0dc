import numpy as np
import pytest
import soxr

from audiofix.audio.lossy import coded, parse_coding
from audiofix.dsp.coding_traces import HoleMeter, decoded_mp3_kbps
from audiofix.dsp.rolloff import BandwidthMeter

RATE = 44100


@pytest.fixture(scope="module")
def music():
    """Plucked strings with many partials over quiet noise, three seconds of two channels."""
    rng = np.random.default_rng(3)
    time = np.arange(3 * RATE) / RATE
    sound = np.zeros((2, time.size))
    for _ in range(24):
        start, pitch = rng.uniform(0, 2.8), rng.uniform(80, 500)
        since = np.maximum(time - start, 0)
        for partial in range(1, int(18000 / pitch)):
            swing = np.sin(2 * np.pi * partial * pitch * since) * np.exp(-since * (2 + partial / 3))
            sound += rng.uniform(0.2, 1, (2, 1)) * swing * (time >= start) / partial**0.5
    sound += 0.002 * np.abs(sound).max() * rng.standard_normal(sound.shape)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def guess(sound, cut=4096):
    cutoff, holes = BandwidthMeter(RATE), HoleMeter(RATE)
    for start in range(0, sound.shape[1], cut):
        cutoff.push(sound[:, start : start + cut])
        holes.push(sound[:, start : start + cut])
    edge = cutoff.cutoff_hz()
    return decoded_mp3_kbps(edge, holes.share(edge or 0))


@pytest.mark.parametrize("kbps", [32, 64])
def test_a_decoded_mp3_is_told(music, kbps):
    pytest.importorskip("av")
    decoded = coded(music, RATE, parse_coding(f"mp3:{kbps}k"))
    assert guess(decoded) == kbps
    assert guess(decoded, 777) == kbps  # however the stream is cut


def test_originals_and_resampled_recordings_are_not(music):
    assert guess(music) is None
    for rate in (22050, 32000):
        there = soxr.resample(music.T, RATE, rate)
        back = np.ascontiguousarray(soxr.resample(there, rate, RATE).T, np.float32)
        assert guess(back) is None


def test_silence_and_short_sound():
    assert HoleMeter(RATE).share(10000) == 0
    meter = HoleMeter(RATE)
    meter.push(np.zeros((1, 5000), np.float32))
    assert meter.share(10000) == 0


def test_both_traces_are_needed():
    assert decoded_mp3_kbps(10960, 0.05) == 64
    assert decoded_mp3_kbps(10960, 0.005) is None
    assert decoded_mp3_kbps(None, 0.05) is None
    assert decoded_mp3_kbps(9000, 0.05) is None

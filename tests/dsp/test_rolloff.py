import numpy as np
import pytest
import soxr
from stages import noise

from audiofix.dsp.rolloff import BandEdge, BandwidthMeter


def meter(x, rate, chunk=9999, **options):
    found = BandwidthMeter(rate, **options)
    for start in range(0, x.shape[1], chunk):
        found.push(x[:, start : start + chunk])
    return found


def sloping_noise(seconds=2.0, rate=48000, fall_db=40.0):
    """Return noise whose spectrum falls evenly by `fall_db` towards Nyquist, as voices do."""
    spectrum = np.fft.rfft(noise(1, int(seconds * rate))[0])
    spectrum *= 10 ** (-fall_db / 20 * np.linspace(0, 1, spectrum.size))
    return np.fft.irfft(spectrum)[None].astype(np.float32)


@pytest.mark.parametrize("low", [8000, 11025, 16000, 22050, 24000])
@pytest.mark.parametrize("bits", [16, None])
def test_finds_where_upsampled_material_ends(low, bits):
    x = soxr.resample(soxr.resample(sloping_noise()[0], 48000, low), low, 48000)[None]
    if bits:
        x = np.rint(x * 2**15 + np.random.default_rng(0).uniform(-1, 1, x.shape)) / 2**15
    found = meter(x.astype(np.float32), 48000)
    assert found.cutoff_hz() == pytest.approx(low / 2, rel=0.08)
    assert found.bandwidth_hz() == found.cutoff_hz()


def rounded(x):
    """Return `x` as 16 bits with triangular dither hold it."""
    dither = np.random.default_rng(0).uniform(-0.5, 0.5, (2, *x.shape)).sum(axis=0)
    return (np.rint(x * 2**15 + dither) / 2**15).astype(np.float32)


def test_finds_a_quiet_end_above_the_floor_of_16_bits():
    """Before 12 kHz the band is a few dB above the floor."""
    low = soxr.resample(sloping_noise(fall_db=140)[0], 48000, 24000)
    found = meter(rounded(soxr.resample(low, 24000, 48000)[None]), 48000)
    assert found.cutoff_hz() == pytest.approx(12000, rel=0.08)


def test_fading_into_the_floor_of_16_bits_is_no_end():
    assert meter(rounded(sloping_noise(fall_db=140)), 48000).cutoff_hz() is None


def test_full_band_material_has_no_cutoff():
    found = meter(sloping_noise(), 48000)
    assert found.cutoff_hz() is None
    assert found.bandwidth_hz() == 24000


@pytest.mark.parametrize("hertz", [440, 1000, 5000])
def test_a_tone_is_no_band_that_ends(hertz):
    x = np.sin(2 * np.pi * hertz * np.arange(96000) / 48000)[None].astype(np.float32)
    assert meter(x, 48000).cutoff_hz() is None


def test_silence_and_nothing_tell_nothing():
    for samples in (0, 1, 100, 50_000):
        found = meter(np.zeros((2, samples), np.float32), 44100)
        assert found.cutoff_hz() is None and found.bandwidth_hz() == 22050


def test_nothing_above_the_top_counts():
    x = soxr.resample(sloping_noise()[0], 16000, 48000)[None]
    assert meter(x, 48000, top_hz=8000).cutoff_hz() is None
    assert meter(x, 48000).cutoff_hz() == pytest.approx(8000, rel=0.08)


def test_chunks_do_not_matter_and_memory_does_not_grow():
    x = sloping_noise(1.0)
    whole, pieces = meter(x, 48000, chunk=10**9), meter(x, 48000, chunk=701)
    assert whole.bandwidth_hz() == pieces.bandwidth_hz()
    assert np.array_equal(whole._power, pieces._power)
    assert pieces._held.shape[1] < 2048


@pytest.mark.parametrize("told_hz", [None, 3000.0])
def test_the_edge_of_a_stream_is_told_or_found_on_the_way(told_hz):
    """Half the rate until a cliff is heard; what the user says stands."""
    edge = BandEdge(48000, 16000.0, told_hz)
    assert edge.find() == (told_hz or 16000)
    x = soxr.resample(soxr.resample(sloping_noise()[0], 48000, 16000), 16000, 48000)
    edge.push(x[None].astype(np.float32))
    assert edge.find() == (told_hz or pytest.approx(8000, rel=0.08))

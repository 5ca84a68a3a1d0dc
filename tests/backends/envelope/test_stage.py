import numpy as np
from envelopes import mono, tiny_network
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.envelope.stage import Band, EnvelopeStage
from audiofix.backends.placement import place

RATE = 16000


def stage(channels=1, cutoff_hz=4000.0, seed=0):
    band = Band(RATE, RATE / 2, cutoff_hz, patience=0)
    return EnvelopeStage(tiny_network(), place("cpu"), AudioFormat(RATE, channels), band, seed)


def test_it_keeps_the_laws_of_a_stage():
    block = stage().latency
    check_stage(lambda: stage(2), lengths=[block - 1, block, block + 1, 20011], single_samples=300)


def test_memory_does_not_grow():
    check_stage(stage, lengths=[], single_samples=1, hour_samples=60 * RATE)


def test_channels_do_not_hear_each_other():
    x = noise(2, RATE)
    other = x.copy()
    other[1] *= -0.5
    first, second = (feed(stage(2), one, [RATE]) for one in (x, other))
    assert np.array_equal(first[0], second[0])
    assert not np.allclose(first[0], first[1])


def test_the_seed_decides_the_noise():
    x = noise(1, RATE)
    same, again, other = (feed(stage(seed=seed), x, [RATE]) for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.allclose(same, other, atol=1e-4)


def test_a_full_band_passes_to_the_bit():
    x = noise(1, RATE)
    assert np.array_equal(feed(stage(cutoff_hz=8000.0), x, [RATE]), x)


def test_the_bands_end_is_found_and_stays_found():
    x = np.random.default_rng(0).standard_normal(4 * RATE)
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(x.size, 1 / RATE) > 4000] = 0
    band = Band(RATE, RATE / 2, None, patience=RATE)
    band.listen(np.fft.irfft(spectrum)[None].astype(np.float32))
    assert abs(band.cutoff_hz - 4000) < 100


def test_live_use_waits_for_less_than_a_tenth_of_a_second():
    assert stage().latency < 0.1 * RATE
    assert stage().source == mono(RATE)

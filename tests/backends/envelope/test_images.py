import numpy as np
from stages import check_stage, feed

from audiofix.audio.format import AudioFormat
from audiofix.backends.envelope.images import WithImages


def test_it_keeps_the_laws_of_a_stage():
    check_stage(lambda: WithImages(AudioFormat(8000, 2), 3), lengths=[5])


def test_a_tone_has_its_images():
    x = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)[None].astype(np.float32)
    y = feed(WithImages(AudioFormat(8000, 1), 3), x, [8000])
    spectrum = np.abs(np.fft.rfft(y[0])) / 12000
    assert set(np.flatnonzero(spectrum > 0.01)) == {1000, 7000, 9000}
    assert np.allclose(spectrum[[1000, 7000, 9000]], 1, atol=1e-3)

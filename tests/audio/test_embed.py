import io

import numpy as np
import soundfile
from stages import noise

from audiofix.audio.embed import flac_bytes


def test_a_player_gets_back_the_sound_at_16_bits():
    x = noise(2, 5000)
    found, rate = soundfile.read(io.BytesIO(flac_bytes(x, 44100)), dtype="float32")
    assert rate == 44100 and found.shape == (5000, 2)
    assert np.abs(found.T - x).max() <= 2**-15


def test_too_loud_is_clipped_not_wrapped():
    loud = np.array([[2.0, -2.0]], np.float32)
    found, _ = soundfile.read(io.BytesIO(flac_bytes(loud, 8000)), dtype="float32")
    assert found[0] > 0.99 and found[1] < -0.99

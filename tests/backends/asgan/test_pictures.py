import math

import torch

from audiofix.backends.asgan.pictures import SAMPLES, mel_pictures, one_second


def test_a_second_is_32_by_32_and_its_level_does_not_matter():
    tone = torch.sin(2 * math.pi * 1000 / 16000 * torch.arange(SAMPLES))[None]
    picture = mel_pictures(tone)
    assert picture.shape == (1, 1, 32, 32)
    assert picture.max() == 0 and picture.min() == -80
    torch.testing.assert_close(mel_pictures(0.1 * tone), picture, atol=0.01, rtol=0)
    assert picture[0, 0, :, 16].argmax() == 10  # 1000 Hz is 15 mels of 45.2 in 33 steps


def test_sound_of_another_length_keeps_its_middle():
    sound = torch.arange(4.0)[None]
    padded = one_second(sound)
    assert padded.shape == (1, SAMPLES) and padded[0, 7998:8002].tolist() == [0, 1, 2, 3]
    assert one_second(torch.arange(SAMPLES + 2.0)[None])[0, 0] == 1

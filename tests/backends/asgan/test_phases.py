import math

import torch

from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.asgan.phases import from_mel


def test_the_sound_has_the_features_it_was_made_of_at_their_time():
    mel = MelConfig(hop=256, bands=64, floor=1e-3)
    time = torch.arange(256 * 20) / 16000
    tone = torch.sin(2 * math.pi * (400 * time + 3000 * time**2))
    sound = (tone * torch.hann_window(len(tone)) * 0.5)[None]
    features = mel.analyse(sound)
    found = from_mel(features, mel)
    assert found.shape == sound.shape
    assert (mel.analyse(found) - features).abs().mean() < 0.25
    shifted = mel.analyse(found.roll(512, 1))
    assert (shifted - features).abs().mean() > 0.4

from dataclasses import replace

import numpy as np
import torch
from stages import noise
from tiny import CONFIG

from audiofix.trainers.data.clips import Clips
from audiofix.trainers.recipes.vmasr import Recipe, degrade, train

RECIPE = replace(Recipe(), frames=32, batch=2, steps=3, warm_up=1)


def clips():
    return Clips([noise(1, 48000)], 31 * 240, RECIPE.speeds)


def test_a_clip_comes_back_from_the_low_rate_in_place():
    clip = noise(1, 24000)
    for seed in range(8):
        back = degrade(clip, 48000, 16000, np.random.default_rng(seed))
        assert back.shape == clip.shape and back.dtype == np.float32
        spectra = np.fft.rfft(clip), np.fft.rfft(back)
        low = slice(100, 3000)  # 200 Hz to 6 kHz
        ratio = np.vdot(spectra[0][0, low], spectra[1][0, low]) / np.linalg.norm(
            spectra[0][0, low]
        ) / np.linalg.norm(spectra[1][0, low])
        assert ratio.real > 0.99
        assert np.abs(spectra[1][0, 5500:]).max() < 0.1 * np.abs(spectra[0][0, 5500:]).max()


def test_the_same_seed_trains_the_same_weights_and_moves_them():
    first, again = (train(RECIPE, CONFIG, clips()) for _ in range(2))
    other = train(replace(RECIPE, seed=2), CONFIG, clips())
    weights = [torch.cat([p.flatten() for p in n.parameters()]) for n in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not first.training

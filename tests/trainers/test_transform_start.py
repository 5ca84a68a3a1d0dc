from dataclasses import replace

import numpy as np
import pytest
import torch
from audiofix.trainers.transform_start import start_as_transform
from tiny import AUTOENCODER

from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.errors import SettingsError

HOP = 24
WIDE = replace(AUTOENCODER, encode_channels=8, decode_channels=8)


def silenced(codec):
    """Leave out the random rest, so that the transform alone is heard."""
    for name, parameter in codec.named_parameters():
        if "res_units" in name:
            parameter.data.zero_()
    return codec


@torch.no_grad()
def passed(codec, x):
    """Return sound through the codec without codes, in time again."""
    heard = torch.nn.functional.pad(x, (0, HOP))
    return codec.decoder(codec.projector(codec.encoder(heard)))[..., HOP:]


def test_as_many_components_as_samples_lose_nothing():
    codec = Autoencoder(replace(WIDE, code_dim=HOP))
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 1, 20 * HOP))).float()
    start_as_transform(codec, torch.randn(500, HOP))
    made = passed(silenced(codec), x)
    # The last sample of the sound is the first of a frame that nothing follows.
    torch.testing.assert_close(made[..., 1:-1], x[..., 1:-1], rtol=0, atol=0.1)


def test_few_components_keep_what_is_strongest():
    """Slow sines of one pitch need two directions; noise needs all."""
    codec = Autoencoder(replace(WIDE, code_dim=2))
    time = torch.arange(400 * HOP)
    tone = torch.sin(2 * torch.pi * time / 97)
    start_as_transform(codec, tone.reshape(-1, HOP))
    silenced(codec)
    for sound, largest in ((tone, 0.15), (torch.randn_like(tone), None)):
        made = passed(codec, sound[None, None])[0, 0, HOP:-HOP]
        error = ((made - sound[HOP:-HOP]).square().mean() / sound.square().mean()).sqrt()
        assert error < largest if largest else error > 0.8


@pytest.mark.parametrize("change", [{"codec": "activate_audiodec"}, {"encode_channels": 1}])
def test_other_architectures_are_refused(change):
    with pytest.raises(SettingsError, match="transform_start"):
        start_as_transform(Autoencoder(replace(AUTOENCODER, **change)), torch.randn(100, HOP))

import pytest
import torch

from audiofix.backends.asgan.features import MelConfig
from audiofix.errors import SettingsError


def test_features_are_scaled_logarithms_and_back():
    sound = torch.randn(2, 4096, generator=torch.Generator().manual_seed(0))
    plain = MelConfig(hop=256, bands=64, floor=1e-3)
    scaled = MelConfig(hop=256, bands=64, floor=1e-3, offset=-3.0, scale=2.5)
    features = scaled.analyse(sound)
    assert features.shape == (2, 16, 64)
    torch.testing.assert_close(features * 2.5 - 3, plain.analyse(sound))
    torch.testing.assert_close(
        scaled.amplitudes(features), plain.analyse(sound).exp().transpose(1, 2)
    )


def test_unknown_settings_are_refused():
    with pytest.raises(SettingsError, match="band: no such setting"):
        MelConfig.from_mapping({"band": 8})

import pytest

from audiofix.backends.apollo.config import ApolloConfig, config_of_shapes
from audiofix.backends.apollo.network import Apollo
from audiofix.errors import SettingsError


@pytest.mark.parametrize(
    ("rate", "window", "bins", "equal", "last"),
    [
        (44100, 882, 442, 5, 47),
        (48000, 960, 481, 6, 7),
        (22050, 441, 221, 2, 63),
        (16000, 320, 161, 2, 3),
    ],
)
def test_bands_of_the_specification(rate, window, bins, equal, last):
    config = ApolloConfig(rate)
    assert (config.window, config.hop, config.bins) == (window, window // 2, bins)
    assert config.band_bins == (equal,) * 79 + (last,)
    assert sum(config.band_bins) == bins


def test_reach_is_nine_frames_a_block():
    assert ApolloConfig(layer=6).reach_frames == 54


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"features": 256}, "features: no such setting"),
        ({"feature_dims": 256}, "did you mean feature_dim"),
        ({"feature_dim": 20}, "feature_dim"),
        ({"layer": 0}, "layer"),
        ({"win": 2}, "win 2"),
        ({"sr": 6400, "win": 20}, "win 20"),
    ],
)
def test_what_no_network_can_be(settings, named):
    with pytest.raises(SettingsError, match=named):
        ApolloConfig.from_mapping(settings)


@pytest.mark.parametrize("sr", [44100, 48000, 22050, 16000])
def test_settings_are_read_off_the_weights(sr):
    network = Apollo(ApolloConfig(sr, feature_dim=32, layer=2))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert config_of_shapes(shapes) == {"sr": sr, "win": 20, "feature_dim": 32, "layer": 2}

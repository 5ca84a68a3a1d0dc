import pytest

from audiofix.backends.asgan.config import DiscriminatorConfig, GeneratorConfig, VocoderConfig
from audiofix.errors import SettingsError


def test_the_defaults_are_the_published_model():
    config = GeneratorConfig()
    assert (config.input_frames, config.frames, config.styles) == (6, 48, 16)
    assert DiscriminatorConfig().lengths == (48, 48, 48, 24, 24, 24, 12, 12, 12, 6, 6, 6)


def test_lists_become_tuples_and_remarks_are_left_out():
    table = {"layer_specs": [[8, 3, 6.0], [8, 3, 6.0]], "num_critical": 1, "note": "any"}
    assert GeneratorConfig.from_mapping(table).layer_specs == ((8, 3, 6.0), (8, 3, 6.0))


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (GeneratorConfig, {"z_dims": 8}, "z_dims: no such setting: did you mean z_dim?"),
        (GeneratorConfig, {"layer_specs": [[8, 3, 8.0]] * 3}, "8 frames at the input divide"),
        (GeneratorConfig, {"layer_specs": [[8, 3, 6.0]]}, "needs more layers"),
        (VocoderConfig, {"hop_size": 100}, "their product must be hop_size"),
        (VocoderConfig, {"resblock": "2"}, "only kind 1"),
    ],
)
def test_what_has_no_meaning_is_refused(kind, table, message):
    with pytest.raises(SettingsError, match=message):
        kind.from_mapping(table)

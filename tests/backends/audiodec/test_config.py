import pytest

from audiofix.backends.audiodec.config import AutoencoderConfig, CodecConfig, VocoderConfig
from audiofix.errors import SettingsError

SIXTEEN = AutoencoderConfig(codebook_num=16, enc_strides=(2, 4, 5, 8), dec_strides=(8, 5, 4, 2))


def test_hops_of_the_released_models():
    assert AutoencoderConfig().hop == VocoderConfig().hop == 300 and SIXTEEN.hop == 320


def test_blocks_on_copies_are_those_of_one_kernel_and_several_groups():
    assert VocoderConfig().multi_group
    assert not VocoderConfig(resblock_kernel_sizes=(3, 7, 11)).multi_group
    assert not VocoderConfig(groups=1).multi_group


@pytest.mark.parametrize(("autoencoder", "frames"), [(AutoencoderConfig(), 28), (SIXTEEN, 26)])
def test_warm_up_is_that_of_the_authors_programs(autoencoder, frames):
    assert CodecConfig(48000, autoencoder).warm_up_frames == frames
    assert CodecConfig(48000, autoencoder, start="zeros").warm_up_frames == 0


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (
            AutoencoderConfig,
            {"codebooks": 8},
            "codebooks: no such setting",
        ),
        (
            AutoencoderConfig,
            {"mode": "acausal"},
            "mode: 'acausal': must be one of causal, noncausal",
        ),
        (AutoencoderConfig, {"quantier": "vq"}, "residual_vq"),
        (VocoderConfig, {"use_additional_convs": False}, "only True is supported"),
        (VocoderConfig, {"upsample_scales": [4, 4]}, "twice upsample_scales"),
    ],
)
def test_settings_that_no_release_has(kind, table, message):
    with pytest.raises(SettingsError, match=message):
        kind.from_mapping(table)

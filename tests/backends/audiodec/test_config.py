import pytest

from audiofix.backends.audiodec.config import (
    SYM_AD,
    SYM_AD_C16,
    VOCODER_V0,
    VOCODER_V1,
    VOCODER_V2,
    AutoencoderConfig,
    CodecConfig,
    VocoderConfig,
)
from audiofix.errors import SettingsError


def test_hops_of_the_released_models():
    assert SYM_AD.hop == VOCODER_V1.hop == 300 and SYM_AD_C16.hop == 320
    assert [one.multi_group for one in (VOCODER_V0, VOCODER_V1, VOCODER_V2)] == [False, True, True]


@pytest.mark.parametrize(("autoencoder", "frames"), [(SYM_AD, 28), (SYM_AD_C16, 26)])
def test_warm_up_is_that_of_the_authors_programs(autoencoder, frames):
    assert CodecConfig(48000, autoencoder).warm_up_frames == frames
    assert CodecConfig(48000, autoencoder, start="zeros").warm_up_frames == 0


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (AutoencoderConfig, {"codebooks": 8}, "codebooks: not a setting"),
        (AutoencoderConfig, {"mode": "acausal"}, "mode: 'acausal': use one of causal, noncausal"),
        (AutoencoderConfig, {"quantier": "vq"}, "residual_vq"),
        (VocoderConfig, {"use_additional_convs": False}, "use one of True"),
        (VocoderConfig, {"upsample_scales": [4, 4]}, "twice upsample_scales"),
    ],
)
def test_settings_that_no_release_has(kind, table, message):
    with pytest.raises(SettingsError, match=message):
        kind.from_mapping(table)

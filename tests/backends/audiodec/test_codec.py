from dataclasses import replace

import numpy as np
import pytest
import torch
from stages import noise
from tiny import AUTOENCODER, VOCODER, tiny_codec

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.codec import AudioDec, codebook_hash
from audiofix.backends.audiodec.config import CodecConfig
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.placement import Placement
from audiofix.errors import CheckpointError

CPU = Placement(torch.device("cpu"))


def test_layout_says_how_to_read_the_codes():
    layout = tiny_codec(rate=16000).layout
    assert (layout.model, layout.rate, layout.channels) == ("tiny", 16000, 1)
    assert (layout.hop, layout.codebooks, layout.bits) == (24, 3, 5)
    assert len(layout.checkpoint) == 16 and int(layout.checkpoint, 16) > 0


def test_who_shares_the_codebooks_shares_the_hash():
    network = Autoencoder(AUTOENCODER)
    before = codebook_hash(network.quantizer)
    torch.nn.init.zeros_(network.decoder.conv2.conv.weight)
    assert codebook_hash(network.quantizer) == before
    network.quantizer.codebook.layers[2].embed[0, 0] += 1
    assert codebook_hash(network.quantizer) != before


@pytest.mark.parametrize(
    ("autoencoder", "vocoder", "message"),
    [
        (replace(AUTOENCODER, mode="noncausal"), None, "not causal"),
        (replace(AUTOENCODER, input_channels=2), None, "jointly"),
        (replace(AUTOENCODER, dec_strides=(2, 2, 2, 2)), None, "16 samples of a frame, not 24"),
        (replace(AUTOENCODER, enc_strides=(2, 2, 2, 2)), VOCODER, "24 samples of a frame, not 16"),
    ],
)
def test_networks_that_make_no_codec(autoencoder, vocoder, message):
    networks = Autoencoder(autoencoder), vocoder and Vocoder(vocoder)
    with pytest.raises(CheckpointError, match=message):
        AudioDec("odd", CodecConfig(8000, autoencoder, vocoder), *networks, CPU)


def test_weights_are_folded_once():
    codec = tiny_codec(vocoded=True)
    names = [name for name, _ in codec.receiver.named_parameters()]
    assert names and not any(name.endswith(("weight_g", "weight_v")) for name in names)


@pytest.mark.parametrize("use", ["file", "live"])
def test_precision_is_the_receivers_only(use):
    """Codes are what a file keeps: they are searched in float32 whatever was asked for."""
    exact, coarse = (
        tiny_codec(vocoded=True, dtype=dtype) for dtype in (torch.float32, torch.bfloat16)
    )
    x = noise(1, 2400)
    codes = [one.encoder(AudioFormat(8000, 1), use).push(x) for one in (exact, coarse)]
    assert codes[0].size and np.array_equal(*codes)
    sound = [one.decoder(1, use).push(codes[0]) for one in (exact, coarse)]
    assert sound[1].dtype == np.float32 and not np.array_equal(*sound)
    np.testing.assert_allclose(*sound, atol=0.02)

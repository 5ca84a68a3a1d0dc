"""Tiny models with random weights: real code paths without trained ones."""

from dataclasses import asdict
from pathlib import Path

import torch

from audiofix.backends.asgan.classifier import Classifier
from audiofix.backends.asgan.config import ClassifierConfig, GeneratorConfig
from audiofix.backends.asgan.network import Generator
from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.codec import AudioDec
from audiofix.backends.audiodec.config import AutoencoderConfig, CodecConfig, VocoderConfig
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.placement import Placement
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.network import VMASR
from audiofix.backends.weights import Checkpoint, save_checkpoint

CONFIG = VMASRConfig(dims=4, depths=(1, 1, 1), interact="single")


def tiny_checkpoint(path: Path, **config) -> Path:
    """Write the tiny model as an audiofix checkpoint and return its path."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VMASR(CONFIG)
    settings = {**asdict(CONFIG), "rate": 48000, "filled": True, **config}
    tensors = network.state_dict()
    save_checkpoint(path, Checkpoint("tiny", "vmasr", settings, tensors, str(path)))
    return path


AUTOENCODER = AutoencoderConfig(
    encode_channels=4,
    decode_channels=4,
    code_dim=8,
    codebook_num=3,
    codebook_size=32,
    enc_strides=(2, 3, 2, 2),
    dec_strides=(2, 2, 3, 2),
)
VOCODER = VocoderConfig(
    in_channels=8, channels=32, upsample_scales=(2, 2, 3, 2), upsample_kernel_sizes=(4, 4, 6, 4)
)


def tiny_codec(start="warm", *, vocoded=False, rate=8000, dtype=torch.float32) -> AudioDec:
    """Return a tiny AudioDec of hop 24, with random weights that let the input be heard."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        autoencoder = Autoencoder(AUTOENCODER)
        autoencoder.encoder.conv.conv.weight.data.mul_(10)
        for codebook in autoencoder.quantizer.codebook.layers:
            codebook.embed.mul_(0.05)
        vocoder = Vocoder(VOCODER) if vocoded else None
    config = CodecConfig(rate, AUTOENCODER, VOCODER if vocoded else None, start)
    return AudioDec("tiny", config, autoencoder, vocoder, Placement(torch.device("cpu"), dtype))


def tiny_codec_checkpoint(path: Path, *, seed=0, vocoded=False, **config) -> Path:
    """Write a tiny codec as an audiofix checkpoint and return its path."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        autoencoder = Autoencoder(AUTOENCODER)
        autoencoder.encoder.conv.conv.weight.data.mul_(10)
        for codebook in autoencoder.quantizer.codebook.layers:
            codebook.embed.mul_(0.05)
        tensors = autoencoder.state_dict()
        if vocoded:
            vocoder = Vocoder(VOCODER).state_dict()
            tensors |= {f"vocoder.{name}": tensor for name, tensor in vocoder.items()}
    settings = {"rate": 8000, "autoencoder": asdict(AUTOENCODER), **config}
    if vocoded:
        settings["vocoder"] = asdict(VOCODER)
    save_checkpoint(path, Checkpoint("tiny", "audiodec", settings, tensors, str(path)))
    return path


ASGAN_GENERATOR = {
    "z_dim": 8,
    "c_dim": 16,
    "w_dim": 8,
    "ff_channels": 8,
    "seq_len": 12,
    "num_critical": 1,
    "layer_specs": [[8, 3, 6.0], [8, 3, 12.0]],
}
ASGAN_MEL = {"fft_size": 512, "hop": 256, "bands": 16}


def tiny_asgan_checkpoint(path: Path) -> Path:
    """Write a tiny ASGAN of mel spectra, without a vocoder, and return its path."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Generator(GeneratorConfig.from_mapping(ASGAN_GENERATOR))
    tensors = {f"generator.{name}": tensor for name, tensor in network.state_dict().items()}
    config = {"generator": ASGAN_GENERATOR, "mel": ASGAN_MEL, "rate": 16000}
    save_checkpoint(path, Checkpoint("tiny", "asgan", config, tensors, str(path)))
    return path


ASGAN_CLASSIFIER = {
    "nlabels": 10, "cardinality": 1, "base_width": 2, "widen_factor": 1, "depth": 11
}  # fmt: skip


def tiny_classifier_checkpoint(path: Path) -> Path:
    """Write a tiny classifier of digits and return its path."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Classifier(ClassifierConfig.from_mapping(ASGAN_CLASSIFIER))
    tensors = {f"classifier.{name}": tensor for name, tensor in network.state_dict().items()}
    config = {"classifier": ASGAN_CLASSIFIER, "rate": 16000}
    save_checkpoint(path, Checkpoint("tiny", "asgan", config, tensors, str(path)))
    return path

"""A tiny envelope network with random weights, and ways to hear it."""

import torch

from audiofix.audio.format import AudioFormat
from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.network import EnvelopeNetwork
from audiofix.backends.envelope.upsample import EnvelopeRestorer
from audiofix.backends.placement import place
from audiofix.nn.conv import pack_weights

CONFIG = EnvelopeConfig(channels=8, dilations=(1, 2), extrapolates=True)


def tiny_network() -> EnvelopeNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = EnvelopeNetwork(CONFIG)
        torch.nn.init.normal_(network.out.weight, std=0.05)
        torch.nn.init.normal_(network.straight.weight, std=0.01)
    pack_weights(network)
    return network.eval().requires_grad_(False)


def tiny_restorer() -> EnvelopeRestorer:
    return EnvelopeRestorer("tiny", tiny_network(), place("cpu"))


def mono(rate: int) -> AudioFormat:
    return AudioFormat(rate, 1)

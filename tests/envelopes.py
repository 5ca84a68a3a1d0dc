"""A tiny envelope network with random weights, and ways to hear it."""

import torch

from audiofix.audio.format import AudioFormat
from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.network import EnvelopeNetwork
from audiofix.backends.envelope.upsample import EnvelopeRestorer
from audiofix.backends.placement import place
from audiofix.nn.conv import pack_weights

CONFIG = EnvelopeConfig(channels=8, dilations=(1, 2), gate_channels=4, gate_dilations=(1, 2))


def tiny_network() -> EnvelopeNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = EnvelopeNetwork(CONFIG)
        for part in (network.voice, network.music, network.gate):
            torch.nn.init.normal_(part.out.weight, std=0.05)
        for expert in (network.voice, network.music):
            torch.nn.init.normal_(expert.straight.weight, std=0.01)
    pack_weights(network)
    return network.eval().requires_grad_(False)


def inputs(frames: int = 32, edge: int = 24) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What a network hears: random statistics, how much they rest on, and the edge."""
    torch.manual_seed(1)
    statistics = torch.randn(1, frames, 5, 80) - 6
    return statistics, torch.rand(1, frames), torch.full((1, frames), edge)


def tiny_restorer() -> EnvelopeRestorer:
    return EnvelopeRestorer("tiny", tiny_network(), place("cpu"))


def mono(rate: int) -> AudioFormat:
    return AudioFormat(rate, 1)

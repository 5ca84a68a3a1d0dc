"""How fast AudioDec streams: against plain modules that work as the published ones do.

    python tests/bench/codec.py [--threads 1] [--receivers sym,v1] [--seconds 2] [--rounds 3]

The plain modules compute the weight norm in every call, keep each layer's history by concatenation
and slicing, and search with one-hot vectors. They get a hop at a time (live), or everything at once
(file). Every ratio is the median over rounds, each round measuring both side by side; times are of
the processor, not of the clock, so that other programs disturb them less.
"""

import argparse
import copy
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.codec import AudioDec
from audiofix.backends.audiodec.config import AutoencoderConfig, CodecConfig, VocoderConfig
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.placement import Placement
from audiofix.nn.conv import CausalConv1d, CausalUpsample1d, PointwiseConv1d
from audiofix.ops.convolution import IDENTITY, Activation

RATE = 48000
SYM_AD = AutoencoderConfig()
RECEIVERS = {
    "sym": None,
    "v0": VocoderConfig(
        resblock_kernel_sizes=(3, 7, 11), resblock_dilations=((1, 3, 5),) * 3, groups=1
    ),
    "v1": VocoderConfig(),
    "v2": VocoderConfig(resblock_kernel_sizes=(3,)),
}


class Remembering(nn.Module):
    """A causal layer with its history inside, as published."""

    def __init__(self, layer: CausalConv1d | CausalUpsample1d) -> None:
        super().__init__()
        self.inner = layer.conv if isinstance(layer, CausalConv1d) else layer.deconv
        self.reach = layer.reach if isinstance(layer, CausalConv1d) else 1
        self.history = torch.zeros(1, self.inner.in_channels, self.reach)

    def forward(
        self,
        x: Tensor,
        _: object = None,
        *,
        before: Activation = IDENTITY,
        then: PointwiseConv1d | None = None,
        residual: Tensor | None = None,
    ) -> Tensor:
        x = torch.cat([self.history, before(x)], dim=2)
        self.history = x[:, :, -self.reach :]
        y = self.inner(x)
        if isinstance(self.inner, nn.ConvTranspose1d):
            stride = self.inner.stride[0]
            y = y[:, :, stride:-stride]
        if then is not None:
            y = then(y, before=before)
        return y if residual is None else residual + y


def remembering(network: nn.Module) -> nn.Module:
    """Return a copy whose causal layers remember by themselves."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, CausalConv1d | CausalUpsample1d):
                setattr(module, name, Remembering(child))
    return network


class Plain:
    """Encoder, search and receiver, as published."""

    def __init__(self, autoencoder: Autoencoder, vocoder: Vocoder | None) -> None:
        self.network = remembering(autoencoder)
        self.receiver = self.network.decoder if vocoder is None else remembering(vocoder)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        z = self.network.projector(self.network.encoder(x))
        residual = z.transpose(1, 2).flatten(0, 1)
        codes = []
        for codebook in self.network.quantizer.codebook.layers:
            embed = codebook.embed
            distances = (
                residual.pow(2).sum(1, keepdim=True)
                - 2 * residual @ embed
                + embed.pow(2).sum(0, keepdim=True)
            )
            code = (-distances).max(1).indices
            one_hot(code, embed.shape[1]).type(embed.dtype)  # built and not used
            words = codebook.lookup(code)
            residual = residual - (residual + (words - residual))
            codes.append(code)
        return torch.stack(codes)[:, None]

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        return self.receiver(self.network.quantizer.lookup(codes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--receivers", default="sym,v0,v1,v2")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads; ms per frame of 6.25 ms")
    print(
        f"{'receiver':>9} {'use':>5} {'part':>7} {'ours':>8} {'plain':>8} {'ratio':>6} {'RTF':>6}"
    )
    for receiver in options.receivers.split(","):
        measure(receiver, options)


def measure(receiver: str, options: argparse.Namespace) -> None:
    """Print the lines of one receiver."""
    torch.manual_seed(0)
    vocoder_config = RECEIVERS[receiver]
    autoencoder = Autoencoder(SYM_AD)
    vocoder = None if vocoder_config is None else Vocoder(vocoder_config)
    plain = Plain(autoencoder, vocoder)
    config = CodecConfig(RATE, SYM_AD, vocoder_config)
    codec = AudioDec(receiver, config, autoencoder, vocoder, Placement(torch.device("cpu")))
    frames = int(options.seconds * RATE) // SYM_AD.hop
    x = np.random.default_rng(0).standard_normal((1, frames * SYM_AD.hop)).astype(np.float32) * 0.1
    wave = torch.from_numpy(x)[None]
    codes = codec.encoder(AudioFormat(RATE, 1), "live").push(x)
    wire = torch.from_numpy(codes.astype(np.int64)).permute(2, 0, 1)
    work: dict[tuple[str, str], tuple[Callable[[], object], Callable[[], object]]] = {}
    for use, block in (("live", 1), ("file", frames)):
        samples, columns = wave.split(block * SYM_AD.hop, dim=2), wire.split(block, dim=2)
        work[use, "encode"] = (
            lambda use=use: codec.encoder(AudioFormat(RATE, 1), use).push(x),
            lambda parts=samples: [plain.encode(part) for part in parts],
        )
        work[use, "decode"] = (
            lambda use=use: codec.decoder(1, use).push(codes),
            lambda parts=columns: [plain.decode(part) for part in parts],
        )
    for (use, part), pair in work.items():
        rounds = np.array([[seconds(one) for one in pair] for _ in range(options.rounds)])
        ours, theirs = np.median(rounds, axis=0)
        ratio = np.median(rounds[:, 1] / rounds[:, 0])
        print(
            f"{receiver:>9} {use:>5} {part:>7} {1e3 * ours / frames:8.2f}"
            f" {1e3 * theirs / frames:8.2f} {ratio:5.1f}x {ours * RATE / x.shape[1]:6.2f}",
            flush=True,
        )


def seconds(function: Callable[[], object]) -> float:
    """How much time of the processor one call takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    main()

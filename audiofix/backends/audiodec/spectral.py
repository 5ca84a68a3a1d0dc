"""A codec of AudioDec's form whose codes are of spectra: their phases are left to the decoder.

At a few kilobits a second there is no room for phases. So the encoder gives the cepstrum of a
log-mel spectrum, the quantiser predicts it over time, and the decoder makes magnitudes of what it
gets, and sound of these (`dsp.inversion`). Only the decoder learns by gradients; the codebooks are
k-means centres. Layouts are those of `nn.conv`.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad

from audiofix.backends.audiodec.config import SpectralConfig
from audiofix.backends.audiodec.quantizer import PredictiveQuantizer
from audiofix.dsp.inversion import SpectrogramInversion
from audiofix.dsp.mel import mel_filters
from audiofix.nn.conv import CausalConv1d, CausalDepthwiseConv1d, PointwiseConv1d
from audiofix.nn.state import StreamState, is_time_major

LEVEL_FLOOR = 1e-5
"""Added to magnitudes, of which a full-scale sine has 0.5: -94 dB."""

_INNER_WIDTH = 2
"""Channels inside a block, in units of those between blocks."""

_KERNEL = 5


class SpectralEncoder(nn.Module):
    """Sound to log-mel spectra, one a frame."""

    window: Tensor
    filters: Tensor

    def __init__(self, config: SpectralConfig, rate: int, window: Tensor) -> None:
        """Prepare the filters; `window` is that of the inversion's analysis."""
        super().__init__()
        self.hop = config.hop
        self.register_buffer("window", window / window.sum(), persistent=False)
        with torch.device("cpu"):  # numbers, not shapes, whatever the network is made on
            filters = mel_filters(rate, config.window, config.bands)
        filters = filters / filters.sum(1, keepdim=True)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return `[batch, bands, ceil(samples / hop)]` of `[batch, 1, samples]`.

        Frame j ends at sample `j * hop`. In a stream, samples are a multiple of the hop but in the
        first call, which has one; the batch is 1 there.
        """
        magnitudes = self.magnitudes(x, self.hop, state)
        levels = (magnitudes @ self.filters.t() + LEVEL_FLOOR).log()
        return levels if is_time_major(state) else levels.mT

    def magnitudes(self, x: Tensor, hop: int, state: StreamState | None = None) -> Tensor:
        """Return the magnitudes `[batch, frames, bins]`; frames end at multiples of `hop`."""
        reach = len(self.window) - 1
        if state is None:
            samples = pad(x[:, 0], (reach, 0))
        else:
            time = x.numel()
            frames = -(-time // hop)
            context = (frames - 1) * hop + 1 + reach - time
            samples = state.extend(self, x, context).reshape(1, -1)
        frames_in_time = samples.unfold(1, len(self.window), hop) * self.window
        magnitudes: Tensor = torch.fft.rfft(frames_in_time).abs()
        return magnitudes


class Cepstrum(nn.Module):
    """The orthonormal cosine transform of log-mel spectra: level, tilt and finer shape."""

    matrix: Tensor

    def __init__(self, bands: int) -> None:
        """Prepare the transform."""
        super().__init__()
        place = torch.arange(bands, dtype=torch.float64, device="cpu")
        matrix = torch.cos(math.pi / bands * place[:, None] * (place + 0.5))
        matrix *= math.sqrt(2 / bands)
        matrix[0] /= math.sqrt(2)
        self.register_buffer("matrix", matrix.float(), persistent=False)

    def forward(self, levels: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the shape of `levels`."""
        return levels @ self.matrix.t() if is_time_major(state) else self.matrix @ levels


class SpectralBlock(nn.Module):
    """A convolution over each channel's past and a perceptron over channels, beside a short cut.

    Liu et al., "A ConvNet for the 2020s", CVPR 2022, without the norm.
    """

    def __init__(self, channels: int) -> None:
        """Make the block."""
        super().__init__()
        self.time = CausalDepthwiseConv1d(channels, _KERNEL)
        self.widen = PointwiseConv1d(channels, _INNER_WIDTH * channels, bias=True)
        self.narrow = PointwiseConv1d(_INNER_WIDTH * channels, channels, bias=True)

    def forward(self, x: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the shape of `x`."""
        inner: Tensor = self.narrow(gelu(self.widen(self.time(x, state), state)), state)
        return x + inner


class SpectralDecoder(nn.Module):
    """Cepstra to sound: log-magnitudes of several short frames for each, then their phases."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: SpectralConfig) -> None:
        """Make the network with fresh weights, and the inversion."""
        super().__init__()
        self.hop, self.steps = config.hop, config.steps
        self.register_buffer("mean", torch.zeros(config.bands))
        self.register_buffer("scale", torch.ones(config.bands))
        width = config.steps * config.bins
        self.envelope = CausalConv1d(config.bands, width, 2)
        self.input_conv = CausalConv1d(config.bands, config.channels, _KERNEL)
        self.blocks = nn.ModuleList(SpectralBlock(config.channels) for _ in range(config.blocks))
        self.output_conv = PointwiseConv1d(config.channels, width, bias=True)
        self.inversion = SpectrogramInversion(
            config.window, config.hop // config.steps, config.span, config.fall, config.iterations
        )

    @torch.no_grad()
    def begin_as_interpolation(self, encoder: SpectralEncoder, cepstrum: Cepstrum) -> None:
        """Let the fresh network return the spectra that lie evenly between the mel bands."""
        bands_to_bins = _interpolation(encoder.filters) @ cepstrum.matrix.t()
        weight = self.envelope.conv.weight.unflatten(0, (self.steps, -1))
        for step in range(self.steps):
            share = (step + 1) / self.steps
            weight[step, :, :, 1] = share * bands_to_bins
            weight[step, :, :, 0] = (1 - share) * bands_to_bins
        assert self.envelope.conv.bias is not None
        self.envelope.conv.bias.zero_()
        for name, parameter in self.named_parameters():
            if name == "output_conv.weight" or name.endswith(".narrow.weight"):
                parameter.mul_(0.1)

    def log_magnitudes(self, vectors: Tensor, state: StreamState | None = None) -> Tensor:
        """Return `[batch, frames * steps, bins]` of cepstra `[batch, bands, frames]`."""
        axis = (-1,) if is_time_major(state) else (-1, 1)
        h = self.input_conv((vectors - self.mean.view(axis)) / self.scale.view(axis), state)
        for block in self.blocks:
            h = block(h, state)
        levels = self.envelope(vectors, state) + self.output_conv(h, state)
        frames = levels if is_time_major(state) else levels.mT
        return frames.unflatten(2, (self.steps, -1)).flatten(1, 2)  # type: ignore[no-any-return]

    def forward(self, vectors: Tensor, state: StreamState | None = None) -> Tensor:
        """Return the sound `[1, 1, frames * hop]` of one stream's cepstra `[1, bands, frames]`.

        Frame j's sound begins with sample `(j - 2) * hop` of what was encoded. Time-major, all is
        `[1, time, channels]`.
        """
        magnitudes = self.magnitudes(vectors, state)[0]
        before = (state and state.kept(self)) or self.inversion.begin(magnitudes)
        found = self.inversion(magnitudes, *before)
        if state:
            state.keep(self, found.sound, found.spectra[-1])
        y = self.final(found.samples, vectors.numel() // len(self.mean))
        return y.view(1, -1, 1) if is_time_major(state) else y.view(1, 1, -1)

    def magnitudes(self, vectors: Tensor, state: StreamState | None = None) -> Tensor:
        """Return what the inversion takes, `[batch, frames * steps, bins]`, in float32."""
        levels = self.log_magnitudes(vectors, state).float()
        return (levels.exp() - LEVEL_FLOOR).clamp(min=0) * self.inversion.analysis.sum()

    def final(self, samples: Tensor, frames: int) -> Tensor:
        """Return the samples of the last `frames` frames of an inversion that are final.

        Less the one sample by which a code frame ends after the hop before it.
        """
        end = samples.shape[-1] - 1 - self.hop
        return samples[..., end - frames * self.hop : end]


class SpectralCodec(nn.Module):
    """The whole codec, its parts under the names of AudioDec's autoencoder."""

    def __init__(self, config: SpectralConfig, rate: int) -> None:
        """Make the parts with fresh weights.

        Args:
            config: their settings.
            rate: samples per second.
        """
        super().__init__()
        self.config = config
        self.decoder = SpectralDecoder(config)
        self.encoder = SpectralEncoder(config, rate, self.decoder.inversion.analysis)
        self.projector = Cepstrum(config.bands)
        self.quantizer = PredictiveQuantizer(
            config.bands, config.codebook_size, config.codebook_num, config.candidates
        )

    def begin_as_interpolation(self) -> None:
        """Let the fresh decoder interpolate between the mel bands, before it learns more."""
        self.decoder.begin_as_interpolation(self.encoder, self.projector)

    def forward(self, x: Tensor) -> Tensor:
        """Encode, quantise and decode one whole signal `[1, 1, samples]`, two hops late."""
        y: Tensor = self.decoder(self.quantizer(self.projector(self.encoder(x))).vectors)
        return y


def _interpolation(filters: Tensor) -> Tensor:
    """Return the weights `[bins, bands]` that lay band levels out over the bins."""
    bands, bins = filters.shape
    centres = (filters * torch.arange(bins)).sum(1)
    place = torch.arange(bins).clamp(min=centres[0], max=centres[-1])
    upper = torch.searchsorted(centres, place).clamp(1, bands - 1)
    share = (place - centres[upper - 1]) / (centres[upper] - centres[upper - 1])
    weights = torch.zeros(bins, bands)
    weights.scatter_(1, upper[:, None], share[:, None])
    weights.scatter_(1, upper[:, None] - 1, 1 - share[:, None])
    return weights

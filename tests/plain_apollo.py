"""Apollo in the layout of the published code: channels first, one band and one layer after another.

The obviously right twin of `audiofix.backends.apollo`, for tests and for the bench.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, glu, silu


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """Normalise `[..., features, time]` over the features."""
    return x * torch.rsqrt(x.square().mean(-2, keepdim=True) + 1e-5) * weight[:, None]


def band_layer(x: Tensor, layer: nn.Module) -> Tensor:
    """Apply the transformer layer across bands to `[frames, features, bands]`."""
    bands = x.shape[-1]
    heads = conv1d(rms_norm(x, layer.input_norm.weight), layer.weight.weight)
    heads = heads.unflatten(1, (8, 3, -1)).transpose(-1, -2)
    q, k, v = heads.unbind(2)
    q, k = (turned(one, layer.cos_freq[:bands], layer.sin_freq[:bands]) for one in (q, k))
    scores = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
    mixed = (scores @ v).transpose(-1, -2).flatten(1, 2)
    x = x + conv1d(mixed, layer.output.weight)
    hidden = silu(conv1d(rms_norm(x, layer.MLP[0].weight), layer.MLP[1].weight))
    gate, z = hidden.chunk(2, dim=1)
    return x + conv1d(silu(gate) * z, layer.MLP_output.weight)


def turned(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn every pair of features by its angle."""
    even, odd = x[..., ::2], x[..., 1::2]
    c, s = cosines[:, ::2], sines[:, ::2]
    return torch.stack((even * c - odd * s, odd * c + even * s), dim=-1).flatten(-2)


def time_unit(x: Tensor, unit: nn.Module) -> Tensor:
    """Apply a residual unit along time to `[rows, features, frames]`."""
    depthwise, norm, widen, _, narrow = unit.conv
    h = conv1d(x, depthwise.weight, depthwise.bias, padding=3, groups=x.shape[1])
    h = silu(conv1d(rms_norm(h, norm.weight), widen.weight, widen.bias))
    return x + conv1d(h, narrow.weight, narrow.bias)


def forward(network: nn.Module, x: Tensor) -> Tensor:
    """Return what a network without our extensions makes of `[batch, channels, samples]`."""
    config = network.config
    rows = x.flatten(0, 1)
    window = torch.hann_window(config.window)
    spectra = torch.stft(rows, config.window, config.hop, window=window, return_complex=True)
    features, start = [], 0
    for bins, (norm, layer) in zip(config.band_bins, network.BN, strict=True):
        band = spectra[:, start : start + bins]
        start += bins
        energy = band.real.square().sum(1) + band.imag.square().sum(1)
        power = (energy + torch.finfo(torch.float32).eps).sqrt()[:, None]
        entries = torch.cat([band.real / power, band.imag / power, power.log()], dim=1)
        features.append(conv1d(rms_norm(entries, norm.weight), layer.weight, layer.bias))
    f = torch.stack(features, dim=1)  # [rows, bands, features, frames]
    for block in network.net:
        across = f.permute(0, 3, 2, 1).flatten(0, 1)
        across = band_layer(across, block.band_net).unflatten(0, (len(rows), -1))
        along = across.permute(0, 3, 2, 1).flatten(0, 1)
        for unit in block.seq_net.blocks:
            along = time_unit(along, unit)
        f = along.unflatten(0, (len(rows), -1))
    made = []
    for band, (norm, layer) in enumerate(network.output):
        parts = glu(conv1d(rms_norm(f[:, band], norm.weight), layer.weight, layer.bias), dim=1)
        real, imaginary = parts.chunk(2, dim=1)
        made.append(torch.complex(real, imaginary))
    estimate = torch.cat(made, dim=1)
    waves = torch.istft(estimate, config.window, config.hop, window=window, length=rows.shape[1])
    return waves.view_as(x)

"""ASGAN's way from latents to sound as it was published, in plain torch: the bench's baseline.

Weights are scaled, modulated and normed at every call, each recording has a convolution group of
its own, and filters run over zeros (specification, sections 3 and 4).
"""

import math

import torch
from torch.nn.functional import conv1d, leaky_relu, pad

from audiofix.backends.asgan.network import Generator, StyleLayer


def features(generator: Generator, z: torch.Tensor) -> torch.Tensor:
    """Return `[batch, frames, c_dim]`."""
    w = generator.map(z)
    x = generator.preconv(generator.ff(w).transpose(1, 2))
    for layer in [*generator.layers, generator.head]:
        x = style_layer(layer, x, w)
    return x.transpose(1, 2)


def style_layer(layer: StyleLayer, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    styles, kernel = layer.affine(w), layer.conv.weight
    if layer.normalize:
        kernel = kernel * kernel.square().mean((1, 2), keepdim=True).rsqrt()
        styles = styles * styles.square().mean().rsqrt()
    elif layer.equalized:
        styles = styles / math.sqrt(kernel.shape[1] * kernel.shape[2])
    kernels = kernel[None] * styles[:, None, :, None]
    if layer.normalize:
        kernels = kernels * (kernels.square().sum((2, 3), keepdim=True) + 1e-8).rsqrt()
    kernels = kernels * layer.norm_ema.rsqrt()
    batch, channels, time = x.shape
    x = x.reshape(1, batch * channels, time)
    padding = kernel.shape[2] // 2
    x = conv1d(x, kernels.flatten(0, 1), padding=padding, groups=batch).view(batch, -1, time)
    x = x + layer.conv.bias[:, None]
    resampler = layer.resampler
    if resampler.up_factor > 1:
        x = pad(x[..., None], (0, resampler.up_factor - 1)).flatten(2)
        x = low_pass(x, resampler.up_lpf_filter)
    x = leaky_relu(x, layer.slope) * math.sqrt(2)
    if resampler.down_factor > 1:
        x = low_pass(x, resampler.down_lpf_filter)[..., :: resampler.down_factor]
    return x


def low_pass(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """Filter each channel, in a group of its own."""
    kernel = taps.expand(x.shape[1], 1, -1)
    return conv1d(x, kernel, padding=len(taps) // 2, groups=x.shape[1])

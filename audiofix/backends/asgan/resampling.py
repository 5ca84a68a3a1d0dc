"""The filters around ASGAN's non-linearities (specification, section 3.6).

Features are at most a few hundred frames long, so that up- and downsampling are small matrices. One
matrix product is several times as fast as the convolution with zeros between samples that it
stands for; `up_by_convolution` and `down_by_convolution` are the slow twins.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

_TAPS = 8
"""Taps a side, in samples of the lower rate, times two."""

_KAISER_BETA = 2.5
_CENTRE_GUARD = 1e-8
"""Added to the sinc's denominator by the authors, and part of their filters."""


def lowpass_filter(factor: int, cutoff: float) -> Tensor:
    """Return a windowed sinc of `8 * factor + 1` taps, float32.

    Args:
        factor: by which the rate changes.
        cutoff: in units of the Nyquist frequency of the higher rate.
    """
    half = _TAPS * factor // 2
    with torch.device("cpu"):
        n = torch.arange(-half, half + 1, dtype=torch.float32)
        taps = torch.sin(cutoff * math.pi * n) / (math.pi * n + _CENTRE_GUARD)
        taps[half] = cutoff
        return taps * torch.kaiser_window(2 * half + 1, periodic=False, beta=_KAISER_BETA)


class Resampler(nn.Module):
    """Filters for one change of the rate up and one down. Attribute names are the authors'."""

    down_lpf_filter: Tensor
    up_lpf_filter: Tensor

    def __init__(
        self, up: int, down: int, up_cutoff: float | None = None, down_cutoff: float | None = None
    ) -> None:
        """Make the filters; a cut-off of None is the critical one, 1 / factor."""
        super().__init__()
        self.up_factor, self.down_factor = up, down
        self.register_buffer("down_lpf_filter", lowpass_filter(down, down_cutoff or 1 / down))
        self.register_buffer("up_lpf_filter", lowpass_filter(up, up_cutoff or 1 / up))
        self._matrices: dict[tuple[str, int], tuple[tuple[object, ...], Tensor]] = {}

    def up(self, x: Tensor) -> Tensor:
        """Return `[..., time * up]`; the amplitude falls by `up`, as the authors left it."""
        return x @ self._matrix("up", x.shape[-1])

    def down(self, x: Tensor) -> Tensor:
        """Return `[..., ceil(time / down)]`."""
        return x @ self._matrix("down", x.shape[-1])

    def _matrix(self, way: str, frames: int) -> Tensor:
        """Return what `way` does to a unit pulse at each frame, `[frames, result frames]`."""
        taps = self.up_lpf_filter if way == "up" else self.down_lpf_filter
        made_of = (taps.data_ptr(), taps._version, taps.dtype, taps.device)
        known = self._matrices.get((way, frames))
        if known is None or known[0] != made_of:
            pulses = torch.eye(frames, dtype=taps.dtype, device=taps.device)[:, None]
            convolve = up_by_convolution if way == "up" else down_by_convolution
            factor = self.up_factor if way == "up" else self.down_factor
            # Made once for training and inference alike.
            with torch.inference_mode(False), torch.no_grad():
                known = made_of, convolve(pulses, taps, factor)[:, 0]
            self._matrices[way, frames] = known
        return known[1]

    def __deepcopy__(self, memo: dict[int, object]) -> "Resampler":
        """Return a copy without the matrices; they are made again where they are needed."""
        copied = type(self)(self.up_factor, self.down_factor)
        copied.down_lpf_filter = self.down_lpf_filter.clone()
        copied.up_lpf_filter = self.up_lpf_filter.clone()
        return copied.train(self.training)


def low_pass(x: Tensor, taps: Tensor) -> Tensor:
    """Filter every channel of `[batch, channels, time]`, zeros outside; the length stays."""
    batch, channels, time = x.shape
    filtered = conv1d(x.reshape(-1, 1, time), taps[None, None], padding=len(taps) // 2)
    return filtered.view(batch, channels, time)


def up_by_convolution(x: Tensor, taps: Tensor, factor: int) -> Tensor:
    """Insert `factor - 1` zeros behind each sample of `[batch, channels, time]`, and filter."""
    return low_pass(pad(x[..., None], (0, factor - 1)).flatten(-2), taps)


def down_by_convolution(x: Tensor, taps: Tensor, factor: int) -> Tensor:
    """Filter `[batch, channels, time]` and keep every `factor`-th sample, the first included."""
    return low_pass(x, taps)[..., ::factor]


@lru_cache
def layer_cutoffs(layers: int, first: float, last: float, critical: int) -> tuple[float, ...]:
    """Return `layers + 1` cut-offs that rise geometrically and stay at `last` in the end."""
    exponents = (torch.arange(layers + 1, device="cpu") / (layers - critical)).clamp(0, 1)
    return tuple((first * (last / first) ** exponents).tolist())

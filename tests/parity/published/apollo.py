"""How published inference code joins chunks of Apollo's output. Kept to be compared with.

Both ways mix what neighbouring chunks made of the same samples, which differs near a chunk's edge;
`stream` needs no chunks.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

Process = Callable[[Tensor], Tensor]
"""Sound `[..., samples]` in, the same shape out."""


def chunk_starts(samples: int, chunk: int, overlap: int) -> list[int]:
    """Return where the authors' chunks start: every `chunk - overlap`, until one ends the sound."""
    starts = [0]
    while starts[-1] + chunk < samples:
        starts.append(starts[-1] + chunk - overlap)
    return starts


def join_chunks(process: Process, x: Tensor, chunk: int, overlap: int) -> Tensor:
    """Process chunks and cross-fade them by linear ramps, as the authors' inference does.

    Args:
        process: what happens to a chunk.
        x: `[..., samples]`; not longer than a chunk, it is processed whole.
        chunk: samples of a chunk, the last one padded with zeros.
        overlap: samples of a ramp, at most half of `chunk`.
    """
    samples = x.shape[-1]
    starts = chunk_starts(samples, chunk, overlap)
    if len(starts) == 1:
        return process(x)
    total, weights = torch.zeros_like(x), x.new_zeros(samples)
    ramp = torch.linspace(0, 1, overlap, dtype=x.dtype, device=x.device)
    for start in starts:
        piece = x[..., start : start + chunk]
        length = piece.shape[-1]
        made = process(pad(piece, (0, chunk - length)))[..., :length]
        weight = x.new_ones(length)
        if start != starts[0]:
            weight[:overlap] = ramp[:length]
        if start != starts[-1]:
            weight[length - overlap :] = ramp.flip(0)
        total[..., start : start + length] += made * weight
        weights[start : start + length] += weight
    return total / weights


def join_chunks_msst(process: Process, x: Tensor, chunk: int, overlaps: int, batch: int) -> Tensor:
    """Process chunks as Music-Source-Separation-Training does.

    Args:
        process: what happens to a chunk.
        x: `[channels, samples]`.
        chunk: samples of a chunk.
        overlaps: chunks that cover each sample.
        batch: chunks processed at once. It matters: all chunks of the last batch lack the ramp at
            their end, and a first batch of one chunk lacks that at its start.
    """
    step = chunk // overlaps
    border = chunk - step
    bordered = x.shape[-1] > 2 * border and border > 0
    if bordered:
        x = pad(x[None], (border, border), "reflect")[0]
    samples = x.shape[-1]
    starts = list(range(0, samples, step))
    total, weights = torch.zeros_like(x), torch.zeros_like(x)
    for first in range(0, len(starts), batch):
        group = starts[first : first + batch]
        window = _trapezium(chunk, x)
        if first == 0 and len(group) == 1:
            window[: chunk // 10] = 1
        if first + batch >= len(starts):
            window[chunk - chunk // 10 :] = 1
        for start in group:
            piece = x[:, start : start + chunk]
            length = piece.shape[-1]
            made = process(_filled(piece, chunk))[:, :length]
            total[:, start : start + length] += made * window[:length]
            weights[:, start : start + length] += window[:length]
    joined = torch.nan_to_num(total / weights, nan=0.0)
    return joined[:, border : samples - border] if bordered else joined


def _trapezium(chunk: int, like: Tensor) -> Tensor:
    fade = chunk // 10
    window = like.new_ones(chunk)
    window[:fade] = torch.linspace(0, 1, fade)
    window[chunk - fade :] = torch.linspace(1, 0, fade)
    return window


def _filled(piece: Tensor, chunk: int) -> Tensor:
    missing = chunk - piece.shape[-1]
    if missing == 0:
        return piece
    if piece.shape[-1] > chunk // 2:
        return pad(piece[None], (0, missing), "reflect")[0]
    return pad(piece, (0, missing))

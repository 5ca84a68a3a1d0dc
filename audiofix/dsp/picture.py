"""Spectrograms as PNG files, without a plotting library."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import Chunk

_FFT_SIZE = 1024
HIGHEST_DB = 0.0
LOWEST_DB = -100.0
_COLOURS = (
    (0, 0, 4),
    (60, 15, 110),
    (150, 40, 120),
    (225, 80, 80),
    (252, 165, 90),
    (252, 250, 200),
)
"""Dark to bright, even in lightness."""

_BRIGHTEST = 254
_MARK = 255
_MARK_COLOUR = (60, 240, 120)
"""The last place of the palette; no level has it."""

_BAR_HEIGHT = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """Samples to point at."""

    start: int
    end: int


def spectrogram(samples: Chunk, *, width: int, height: int, marks: Sequence[Mark] = ()) -> bytes:
    """Return a PNG of the level over time (to the right) and frequency (upwards, linear).

    Levels from -100 dB to 0 dB, where a sine of full scale is 0 dB, from dark to bright. Where
    there are marks, a bar under the picture and lines through it show each.

    Args:
        samples: `[channels, samples]`; channels are added up in power. Short ones are padded.
        width: pixels over the whole time, a frame of 1024 samples each.
        height: pixels over the whole band, each the loudest of its bins; the bar comes on top.
        marks: what to point at; the shortest is drawn one pixel wide.
    """
    levels = spectrogram_levels(samples, width=width, height=height)
    share = (levels - LOWEST_DB) / (HIGHEST_DB - LOWEST_DB)
    pixels = (share.clip(0, 1) * _BRIGHTEST).round().astype(np.uint8)
    bar = np.zeros((_BAR_HEIGHT if marks else 0, width), np.uint8)
    for mark in marks:
        first, last = (
            min(width - 1, place * width // samples.shape[1]) for place in (mark.start, mark.end)
        )
        bar[2:, first : last + 1] = _MARK
        pixels[::4, first] = pixels[::4, last] = _MARK
    return _png(np.concatenate([pixels, bar]))


def spectrogram_levels(samples: Chunk, *, width: int, height: int) -> NDArray[np.float64]:
    """Return the levels in dB that `spectrogram` paints, `[height, width]`, highest band first."""
    missing = max(0, _FFT_SIZE - samples.shape[1])
    padded = np.pad(samples, ((0, 0), (0, missing)))
    starts = np.linspace(0, padded.shape[1] - _FFT_SIZE, width).astype(int)
    views = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SIZE, axis=1)
    window = np.hanning(_FFT_SIZE + 1)[:-1] * 4 / _FFT_SIZE
    power = (np.abs(np.fft.rfft(views[:, starts] * window)) ** 2).mean(axis=0)
    edges = np.linspace(0, power.shape[1], height, endpoint=False).astype(int)
    rows = np.maximum.reduceat(power, edges, axis=1)[:, ::-1].T
    return np.asarray(10 * np.log10(rows + 1e-20))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Return `[height, width]` indices into the palette as a PNG file (ISO/IEC 15948)."""
    height, width = pixels.shape
    anchors = np.linspace(0, _BRIGHTEST, len(_COLOURS))
    palette = np.stack(
        [np.interp(range(256), anchors, part) for part in zip(*_COLOURS, strict=True)]
    )
    palette[:, _MARK] = _MARK_COLOUR
    rows = np.pad(pixels, ((0, 0), (1, 0)))  # filter 0 before every row
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": palette.T.round().astype(np.uint8).tobytes(),
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

"""Opus in memory, for comparison with codecs of our own (RFC 6716; by libsndfile)."""

import io

import numpy as np
import soundfile

from audiofix.audio.format import Chunk, as_chunk

RATES = (8000, 12000, 16000, 24000, 48000)
"""Samples per second that Opus takes."""

_LOWEST, _SPAN = 6000.0, 250_000.0
"""Bits per second and channel at libsndfile's highest compression; how many its lowest adds."""


def through_opus(samples: Chunk, rate: int, bits_per_second: float) -> tuple[Chunk, float]:
    """Return sound as Opus gives it back, and what it took: bits per second, headers left out.

    Args:
        samples: `[channels, samples]`.
        rate: one of `RATES`.
        bits_per_second: of all channels together. Opus takes about as many, and 6000 a channel at
            least.
    """
    if not samples.shape[1]:
        return samples, 0.0
    wanted = bits_per_second / len(samples)
    level = float(np.clip(1 - (wanted - _LOWEST) / _SPAN, 0, 1))
    whole, empty = (_encoded(part, rate, level) for part in (samples, samples[:, :0]))
    decoded, _ = soundfile.read(io.BytesIO(whole), dtype="float32", always_2d=True)
    seconds = max(1, samples.shape[1]) / rate
    return as_chunk(decoded.T), 8 * (len(whole) - len(empty)) / seconds


def _encoded(samples: Chunk, rate: int, level: float) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples.T, rate, format="OGG", subtype="OPUS", compression_level=level)
    return stream.getvalue()

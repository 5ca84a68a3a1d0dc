"""Missing samples from their surroundings: autoregressive models of both sides of a gap.

Burg's method fits the models (Burg, "Maximum entropy spectral analysis", 1975); Janssen, Veldhuis
and Vries, "Adaptive interpolation of discrete-time signals that can be modeled as autoregressive
processes" (1986) put the samples where the model's prediction error is least.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


def burg(segments: Sequence[Samples], order: int) -> tuple[Samples, float]:
    """Return the prediction error filter `[order + 1]`, first 1, and the error's variance.

    Args:
        segments: pieces of one signal, `[samples]` each; each is longer than 1 sample.
        order: coefficients; no more than the longest segment has samples, less one.
    """
    forward = [segment.astype(np.float64) for segment in segments]
    backward = [segment.copy() for segment in forward]
    error_filter = np.ones(1)
    count = sum(segment.size for segment in segments)
    variance = sum(float(segment @ segment) for segment in forward) / max(1, count)
    for _ in range(order):
        forward = [f[1:] for f in forward]
        backward = [b[:-1] for b in backward]
        power = sum(float(f @ f + b @ b) for f, b in zip(forward, backward, strict=True))
        if power <= 1e-30 * count:
            break  # nothing is left to predict
        cross = sum(float(f @ b) for f, b in zip(forward, backward, strict=True))
        reflection = -2 * cross / power
        pairs = list(zip(forward, backward, strict=True))
        forward = [f + reflection * b for f, b in pairs]
        backward = [b + reflection * f for f, b in pairs]
        padded = np.append(error_filter, 0)
        error_filter = padded + reflection * padded[::-1]
        variance *= 1 - reflection**2
    return error_filter, variance

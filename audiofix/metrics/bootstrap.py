"""A mean over files and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval.

    Attributes:
        mean: over the files that have a value; NaN if none has.
        low: lower end; NaN for fewer than two files.
        high: upper end; NaN for fewer than two files.
        files: how many have a value.
    """

    mean: float
    low: float
    high: float
    files: int


def mean_interval(values: Sequence[float], seed: int) -> Interval:
    """Return the mean of `values` and its 95% interval; NaN among them are left out.

    Percentile bootstrap over files (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    chapter 13): 2000 samples of the same size with replacement, seeded.
    """
    defined = np.asarray(values, np.float64)
    defined = defined[~np.isnan(defined)]
    files = defined.size
    if files < 2:
        return Interval(float(defined[0]) if files else np.nan, np.nan, np.nan, files)
    generator = np.random.default_rng(seed)
    means = np.array([generator.choice(defined, files).mean() for _ in range(_DRAWS)])
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(defined.mean()), float(low), float(high), files)

"""Features of short words, brought to one length (ASGAN; specification, section 6.1)."""

import numpy as np

from audiofix.backends.asgan.features import Features

SILENCE = {"mel": -11.4, "hubert": 0.0}
"""A frame of silence. The authors' vector for HuBERT was never published; they train with zeros."""


def fit_frames(
    features: Features, frames: int, silence: float, generator: np.random.Generator
) -> Features:
    """Return `[frames, dimensions]` of features of any length.

    Shorter ones come first, followed by their own beginning if one copy fills the rest, else by
    silence. Longer ones are cut at a place drawn; the last place is never drawn, as published.

    Args:
        features: `[any number of frames, dimensions]`.
        frames: wanted.
        silence: value of silent frames.
        generator: draws the place.
    """
    length = len(features)
    if length > frames:
        start = int(generator.integers(length - frames))
        return features[start : start + frames]
    missing = frames - length
    if missing < length:
        return np.concatenate([features, features[:missing]])
    rest = np.full((missing, features.shape[1]), silence, features.dtype)
    return np.concatenate([features, rest])

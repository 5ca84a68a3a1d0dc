"""How far two sets of vectors are from being drawn from one distribution."""

from torch import Tensor

_SMALLEST = 1e-6
"""Square of a distance that is rounding, and has no slope."""


def energy_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the energy distance of sets (Szekely and Rizzo, 2013), a mean over sets.

    Twice the mean distance from one set to the other, less that within each; 0 for equal
    distributions, on the average below it by chance.

    Args:
        first: `[sets, vectors, size]`, at least two vectors.
        second: `[sets, vectors, size]`.
    """
    between = _distances(first, second).mean((1, 2))
    return (2 * between - _within(first) - _within(second)).mean()


def _within(vectors: Tensor) -> Tensor:
    """Return each set's mean distance of two different vectors."""
    count = vectors.shape[1]
    return _distances(vectors, vectors).sum((1, 2)) / (count * (count - 1))


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """Return the distance of every vector from every other, by products: `cdist` is slow."""
    squares = first.square().sum(2)[:, :, None] + second.square().sum(2)[:, None]
    return (squares - 2 * first @ second.mT).clamp(min=_SMALLEST).sqrt()

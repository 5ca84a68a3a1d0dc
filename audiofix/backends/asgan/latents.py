"""Latents drawn, interpolated, truncated and mixed (specification, sections 2 and 7)."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from audiofix.backends.tasks import GenerateRequest, LatentKind, Latents
from audiofix.errors import UsageError


def draw(count: int, seed: int, size: int, *, batch_draw: bool = False, start: int = 0) -> Tensor:
    """Return Gaussian vectors `[count, size]`.

    Args:
        count: how many.
        seed: the same seed gives the same vectors.
        size: of each.
        batch_draw: one draw of all of them, as upstream does after `torch.manual_seed(seed)`; else
            each has a generator of its own, so that it does not depend on `count`.
        start: number of the first one; zero with `batch_draw`.
    """
    if batch_draw:
        return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    rows = [
        torch.randn(size, generator=torch.Generator().manual_seed(_seed_of(seed, number)))
        for number in range(start, start + count)
    ]
    return torch.stack(rows)


def one_by_one(request: GenerateRequest, size: int) -> Iterator[Latents]:
    """Yield each recording's latents, those in between included.

    One recording at a time is made of them: rounding depends on the size of a batch, and a
    recording must be the same to the bit whatever its company; the networks gain little by more.

    Args:
        request: says which.
        size: of a Gaussian vector.
    """
    latents = request.latents
    count = request.count if latents is None else len(latents)
    kind: LatentKind = "z" if latents is None else latents.kind
    given = None if latents is None else torch.from_numpy(latents.values)
    if latents is None and request.batch_draw:
        given = draw(count, request.seed, size, batch_draw=True)

    def row(number: int) -> Tensor:
        return draw(1, request.seed, size, start=number)[0] if given is None else given[number]

    steps = request.interpolate + 1
    between = spherical if kind == "z" else torch.lerp
    for place in range(1 + (count - 1) * steps):
        start, part = divmod(place, steps)
        found = between(row(start), row(start + 1), part / steps) if part else row(start)
        yield Latents(kind, found[None].numpy())


def spherical(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return the vector at `share` of the arc between two, its length between theirs.

    Gaussian vectors have about one length, which a straight line would leave.
    """
    lengths = torch.stack([first.norm(), second.norm()]).clamp(min=1e-12)
    ends = first / lengths[0], second / lengths[1]
    angle = torch.arccos(torch.dot(*ends).clamp(-1, 1))
    if angle < 1e-4:
        return torch.lerp(first, second, share)
    weights = torch.sin(torch.stack([(1 - share) * angle, share * angle])) / torch.sin(angle)
    arc: Tensor = weights[0] * ends[0] + weights[1] * ends[1]
    return arc * torch.lerp(lengths[0], lengths[1], share)


def per_style(w: Tensor, styles: int) -> Tensor:
    """Return `[batch, styles, dimensions]` of one latent for all layers, or of one for each."""
    return w if w.dim() == 3 else w[:, None].expand(-1, styles, -1)


def truncated(w: Tensor, mean: Tensor, truncation: float) -> Tensor:
    """Return latents moved towards the mean: 1 leaves them, 0 gives the mean."""
    return w if truncation == 1 else torch.lerp(mean.expand_as(w), w, truncation)


def mixed(w: Tensor, others: Tensor, first: int, last: int) -> Tensor:
    """Return `[batch, styles, dimensions]` whose styles `first` to `last` are the others'.

    Raises:
        UsageError: there are no such styles.
    """
    if not 0 <= first <= last < w.shape[1]:
        raise UsageError(
            f"mixed layers {first}-{last}: this model has styles 0 to {w.shape[1] - 1}: "
            "choose some of them"
        )
    w = w.clone()
    w[:, first : last + 1] = others[:, first : last + 1]
    return w


def _seed_of(seed: int, number: int) -> int:
    sequence = np.random.SeedSequence([seed, number])
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)

"""Codebooks of a residual quantiser: where they begin, and how much of them is used."""

from collections.abc import Mapping

import numpy as np
import torch
from audiofix.trainers.progress import Bar, no_bar
from torch import Tensor

from audiofix.errors import SettingsError
from audiofix.nn.vq import Codebook, ResidualVQ, perplexity

_ROUNDS = 12
_BLOCK_ROWS = 256
"""Their distances to 1024 codewords stay in a core's cache: all rows at once take twice as long."""


@torch.no_grad()
def codebooks_from(
    rows: Tensor,
    quantiser: ResidualVQ,
    seed: int,
    bar: Bar = no_bar,
    *,
    weights: Tensor | None = None,
) -> None:
    """Set every codebook to the k-means centres of what the ones before left over (Lloyd, 1982).

    Args:
        rows: `[rows, dim]`, as many as a codebook has codewords or more.
        quantiser: its codebooks are set in place, their averages as after one visit a codeword.
        seed: of the rows that the centres start at.
        bar: shows how far it is.
        weights: `[rows]`, how much each row counts; None for all alike.

    Raises:
        SettingsError: there are too few rows.
    """
    if len(rows) < quantiser.size:
        raise SettingsError(
            f"codebooks: {len(rows)} vectors for {quantiser.size} codewords: "
            "make data.samples larger"
        )
    generator = np.random.default_rng(seed)
    counted = torch.ones(len(rows), device=rows.device) if weights is None else weights
    shares = counted.double().cpu().numpy() / counted.double().sum().item()
    residual = rows
    with bar("codebooks", len(quantiser.layers), " codebooks") as tick:
        for done, codebook in enumerate(quantiser.layers, 1):
            assert isinstance(codebook, Codebook)
            if weights is None:
                chosen = generator.permutation(len(rows))[: quantiser.size]
            else:
                chosen = generator.choice(len(rows), quantiser.size, replace=False, p=shares)
            start = residual[torch.from_numpy(chosen)]
            _set_to_centres(codebook, residual, start, counted)
            residual = residual - codebook.lookup(codebook.search(residual))
            if tick:
                tick(done)


def _set_to_centres(codebook: Codebook, rows: Tensor, start: Tensor, weights: Tensor) -> None:
    """Set a codebook to the weighted k-means centres of `rows`, found from those in `start`."""
    size = len(start)
    codebook.embed.copy_(start.t())
    for _ in range(_ROUNDS):
        norms = codebook.square_norms()
        codes = torch.cat([codebook.search(part, norms) for part in rows.split(_BLOCK_ROWS)])
        counts = torch.bincount(codes, weights, minlength=size)
        sums = torch.zeros(size, rows.shape[1], device=rows.device)
        sums.index_add_(0, codes, rows * weights[:, None])
        visited = counts > 0
        codebook.embed[:, visited] = (sums[visited] / counts[visited, None]).t()
    codebook.embed_avg.copy_(codebook.embed)
    codebook.cluster_size.fill_(1.0)


def codeword_usage(codes: Tensor, size: int) -> Mapping[str, float]:
    """Return `perplexity_N` and `unused_codewords_N` of every codebook N, counted from 1.

    Args:
        codes: `[codebooks, frames]`.
        size: codewords in a codebook. With fewer frames than codewords some are always unused.
    """
    figures = {}
    for number, code in enumerate(codes, 1):
        figures[f"perplexity_{number}"] = perplexity(code, size).item()
        figures[f"unused_codewords_{number}"] = float(size - code.unique().numel())
    return figures

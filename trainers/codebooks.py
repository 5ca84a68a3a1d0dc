"""Codebooks of a residual quantiser: where they begin, and how much of them is used."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from audiofix.errors import SettingsError
from audiofix.nn.vq import Codebook, ResidualVQ, perplexity

_ROUNDS = 12


@torch.no_grad()
def codebooks_from(rows: Tensor, quantiser: ResidualVQ, seed: int) -> None:
    """Set every codebook to the k-means centres of what the ones before left over (Lloyd, 1982).

    Args:
        rows: `[rows, dim]`, as many as a codebook has codewords or more.
        quantiser: its codebooks are set in place, their averages as after one visit a codeword.
        seed: of the rows that the centres start at.

    Raises:
        SettingsError: there are too few rows.
    """
    if len(rows) < quantiser.size:
        raise SettingsError(
            f"codebooks: {len(rows)} vectors for {quantiser.size} codewords: "
            "make data.samples larger"
        )
    generator = np.random.default_rng(seed)
    residual = rows
    for codebook in quantiser.layers:
        assert isinstance(codebook, Codebook)
        size = codebook.embed.shape[1]
        chosen = torch.from_numpy(generator.permutation(len(rows))[:size])
        codebook.embed.copy_(residual[chosen].t())
        for _ in range(_ROUNDS):
            codes = codebook.search(residual)
            counts = torch.bincount(codes, minlength=size)
            sums = torch.zeros(size, rows.shape[1]).index_add_(0, codes, residual)
            visited = counts > 0
            codebook.embed[:, visited] = (sums[visited] / counts[visited, None]).t()
        codebook.embed_avg.copy_(codebook.embed)
        codebook.cluster_size.fill_(1.0)
        residual = residual - codebook.lookup(codebook.search(residual))


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

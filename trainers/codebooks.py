"""First codebooks for a residual quantiser: each stage clusters what the ones before left over."""

import numpy as np
import torch
from torch import Tensor

from audiofix.nn.vq import Codebook, ResidualVQ

_ROUNDS = 12


@torch.no_grad()
def codebooks_from(rows: Tensor, quantiser: ResidualVQ, seed: int) -> None:
    """Set every codebook to the k-means centres of its residuals (Lloyd, 1982).

    Args:
        rows: `[rows, dim]`, more than a codebook has words.
        quantiser: its codebooks are set in place, their averages as after one visit a word.
        seed: of the rows that the centres start at.
    """
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

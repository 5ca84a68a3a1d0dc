"""Residual vector quantisation (Zeghidour et al., SoundStream, 2021, algorithm 1).

The arithmetic, its order of summation included, is AudioDec's: the same input gives its codes.
Attribute names are those of its checkpoints.
"""

from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import embedding, mse_loss, one_hot

_DECAY = 0.8
_EPS = 1e-5
"""Of the moving averages that train a codebook."""

_LOG_FLOOR = 1e-10
"""Keeps the logarithm of an unused codeword's frequency finite."""


class Quantised(NamedTuple):
    """What quantising gives.

    Attributes:
        vectors: `[batch, time, dim]`, sum of the chosen codewords; its gradient goes straight
            through.
        codes: `[codebooks, batch, time]`.
        losses: `[codebooks]`, commitment of each stage's input to its codeword.
        perplexities: `[codebooks]`, how many codewords are in use, as if equally often.
    """

    vectors: Tensor
    codes: Tensor
    losses: Tensor
    perplexities: Tensor


class Codebook(nn.Module):
    """One stage's codewords, `[dim, size]`. Learned by moving averages, not by gradients."""

    embed: Tensor
    cluster_size: Tensor
    embed_avg: Tensor

    def __init__(self, dim: int, size: int) -> None:
        """Draw the codewords from a normal distribution."""
        super().__init__()
        codewords = torch.empty(dim, size)
        if not codewords.is_meta:
            codewords.normal_()
        self.register_buffer("embed", codewords)
        self.register_buffer("cluster_size", torch.zeros(size))
        self.register_buffer("embed_avg", codewords.clone())

    def search(self, rows: Tensor, square_norms: Tensor | None = None) -> Tensor:
        """Return the code of the codeword nearest to each row; of equally near ones the first.

        Args:
            rows: `[rows, dim]`.
            square_norms: what `square_norms()` returned, where no codeword has changed since.
        """
        if square_norms is None:
            square_norms = self.square_norms()
        # In this order: another rounding picks another codeword where two are nearly as near.
        distances = rows.square().sum(1, keepdim=True) - 2 * (rows @ self.embed)
        return (distances + square_norms).argmin(1)

    def square_norms(self) -> Tensor:
        """Return the squared length of every codeword, `[1, size]`."""
        return self.embed.square().sum(0, keepdim=True)

    def lookup(self, codes: Tensor) -> Tensor:
        """Return the codewords of codes of any shape, `[..., dim]`."""
        return embedding(codes, self.embed.t())

    @torch.no_grad()
    def learn(self, rows: Tensor, codes: Tensor) -> None:
        """Move each codeword towards the mean of the rows that chose it, in all processes."""
        chosen = one_hot(codes, self.embed.shape[1]).to(rows.dtype)
        counts, sums = chosen.sum(0), rows.t() @ chosen
        if distributed.is_available() and distributed.is_initialized():
            for part in (counts, sums):
                distributed.all_reduce(part)
        self.cluster_size.lerp_(counts, 1 - _DECAY)
        self.embed_avg.lerp_(sums, 1 - _DECAY)
        total = self.cluster_size.sum()
        smoothed = (self.cluster_size + _EPS) / (total + len(self.cluster_size) * _EPS) * total
        self.embed.copy_(self.embed_avg / smoothed)


class ResidualVQ(nn.Module):
    """Codebooks in a row, each of which quantises what the ones before left over."""

    def __init__(self, dim: int, size: int, codebooks: int) -> None:
        """Make `codebooks` stages of `size` codewords."""
        super().__init__()
        self.size = size
        self.layers = nn.ModuleList(Codebook(dim, size) for _ in range(codebooks))

    def forward(self, x: Tensor) -> Quantised:
        """Quantise; in training mode also teach the codebooks.

        Args:
            x: `[batch, time, dim]`.
        """
        residual = x
        total = torch.zeros_like(x)
        codes, losses, perplexities = [], [], []
        for codebook in self._codebooks():
            rows = residual.detach().flatten(0, 1)
            code = codebook.search(rows)
            codewords = codebook.lookup(code).view_as(residual)
            if self.training:
                codebook.learn(rows, code)
            losses.append(mse_loss(codewords, residual))
            perplexities.append(perplexity(code, codebook.embed.shape[1]))
            codes.append(code.view(residual.shape[:2]))
            # Not `codewords`: this rounding is part of what was published.
            passed = residual + (codewords - residual).detach()
            residual = residual - passed
            total = total + passed
        return Quantised(total, torch.stack(codes), torch.stack(losses), torch.stack(perplexities))

    def search(self, rows: Tensor, square_norms: list[Tensor]) -> Tensor:
        """Return the codes `[rows, codebooks]` of rows `[rows, dim]`, and nothing else.

        Args:
            rows: what to quantise.
            square_norms: what `square_norms()` returned; of the first codebooks, to use only those.
        """
        residual = rows
        codes = []
        for codebook, norms in zip(self._codebooks(), square_norms, strict=False):
            code = codebook.search(residual, norms)
            codewords = codebook.lookup(code)
            residual = residual - (residual + (codewords - residual))
            codes.append(code)
        return torch.stack(codes, dim=1)

    def search_best(self, rows: Tensor, square_norms: list[Tensor], candidates: int) -> Tensor:
        """Return codes `[rows, codebooks]` whose sum is nearer to each row than `search`'s.

        Every stage keeps the best few sums of codewords so far (M-algorithm; Jelinek and Anderson,
        1971), since the nearest codeword of a stage need not lead to the nearest sum.

        Args:
            rows: what to quantise, `[rows, dim]`.
            square_norms: what `square_norms()` returned; of the first codebooks, to use only those.
            candidates: sums that are kept, 1 or more.
        """
        sums = torch.zeros_like(rows)[:, None]
        codes = torch.zeros(len(rows), 1, 0, dtype=torch.long, device=rows.device)
        for codebook, norms in zip(self._codebooks(), square_norms, strict=False):
            residual = rows[:, None] - sums
            distances = residual.square().sum(2, keepdim=True) - 2 * (residual @ codebook.embed)
            every = (distances + norms).flatten(1)
            kept = every.topk(min(candidates, every.shape[1]), largest=False).indices
            parent = torch.div(kept, self.size, rounding_mode="floor")[..., None]
            code = kept % self.size
            sums = sums.gather(1, parent.expand(-1, -1, rows.shape[1])) + codebook.lookup(code)
            codes = codes.gather(1, parent.expand(-1, -1, codes.shape[2]))
            codes = torch.cat([codes, code[..., None]], dim=2)
        return codes[:, 0]

    def square_norms(self) -> list[Tensor]:
        """Return each codebook's squared lengths."""
        return [codebook.square_norms() for codebook in self._codebooks()]

    def lookup(self, codes: Tensor) -> Tensor:
        """Return the sum of the codewords, in stage order.

        Args:
            codes: `[codebooks, ...]`, the first stages if there are fewer than codebooks; each in
                `0 .. size - 1`.

        Returns:
            `[..., dim]`.
        """
        total = self._codebooks()[0].lookup(codes[0])
        for codebook, code in zip(self._codebooks()[1:], codes[1:], strict=False):
            total = total + codebook.lookup(code)
        return total

    def perplexities(self, codes: Tensor) -> Tensor:
        """Return each codebook's perplexity over codes `[codebooks, ...]`."""
        return torch.stack([perplexity(code, self.size) for code in codes])

    def _codebooks(self) -> list[Codebook]:
        return [layer for layer in self.layers if isinstance(layer, Codebook)]


def perplexity(codes: Tensor, size: int) -> Tensor:
    """Return how many of `size` codewords the codes use, as if equally often: 1 to `size`."""
    shares = torch.bincount(codes.flatten(), minlength=size) / codes.numel()
    return torch.exp(-(shares * torch.log(shares + _LOG_FLOOR)).sum())

"""AudioDec's quantiser: residual vectors quantised as columns of the projected sound.

Beside the authors' stands one with prediction over time, for vectors that change slowly.
"""

import torch
from torch import Tensor, nn

from audiofix.nn.state import StreamState
from audiofix.nn.vq import Quantised, ResidualVQ


class Quantizer(nn.Module):
    """Residual codebooks, under the authors' names."""

    def __init__(self, dim: int, size: int, codebooks: int) -> None:
        """Make the codebooks."""
        super().__init__()
        self.codebook = ResidualVQ(dim, size, codebooks)

    def forward(self, z: Tensor) -> Quantised:
        """Quantise `[batch, dim, frames]`; the result's vectors have that shape too."""
        found: Quantised = self.codebook(z.transpose(1, 2))
        return found._replace(vectors=found.vectors.transpose(1, 2))

    def lookup(self, codes: Tensor) -> Tensor:
        """Return the vectors `[batch, dim, frames]` of codes `[codebooks, batch, frames]`."""
        return self.codebook.lookup(codes).transpose(1, 2)

    def encode(self, rows: Tensor, square_norms: list[Tensor], state: StreamState) -> Tensor:
        """Return the codes `[frames, codebooks]` of one stream's next vectors `[frames, dim]`.

        Args:
            rows: the vectors.
            square_norms: what `codebook.square_norms()` returned, of the codebooks to use: the
                first ones.
            state: of the stream.
        """
        del state
        return self.codebook.search(rows, square_norms)

    def decode(self, codes: Tensor, state: StreamState) -> Tensor:
        """Return the vectors `[frames, dim]` of one stream's next codes `[codebooks, frames]`."""
        del state
        return self.codebook.lookup(codes)


class PredictiveQuantizer(Quantizer):
    """Residual codebooks for what the last decoded vector does not predict.

    Each coefficient is predicted by itself: what is quantised is `z[t] - prediction * zq[t - 1]`,
    and `zq[t]` is that prediction and the sum of the codewords. Encoder and decoder follow the same
    decoded vectors, so errors do not add up; what lost frames leave behind fades away. Every stream
    begins behind the same vector.
    """

    prediction: Tensor
    first: Tensor

    def __init__(self, dim: int, size: int, codebooks: int, candidates: int) -> None:
        """Make codebooks, and a prediction of nothing.

        Args:
            dim: of the vectors.
            size: codewords in a codebook.
            codebooks: how many.
            candidates: of `ResidualVQ.search_best`.
        """
        super().__init__(dim, size, codebooks)
        self.candidates = candidates
        self.register_buffer("prediction", torch.zeros(dim))
        self.register_buffer("first", torch.zeros(dim))

    def forward(self, z: Tensor) -> Quantised:
        """Quantise `[batch, dim, frames]`, each row from the beginning of a stream."""
        norms = self.codebook.square_norms()
        decoded = self.first.expand(len(z), -1)
        vectors, codes = [], []
        for row in z.unbind(2):
            decoded, code = self._follow(row, decoded, norms)
            vectors.append(decoded)
            codes.append(code)
        found, chosen = torch.stack(vectors, dim=2), torch.stack(codes, dim=2).transpose(0, 1)
        error = (found - z).square().mean()
        return Quantised(found, chosen, error[None], self.codebook.perplexities(chosen))

    def encode(self, rows: Tensor, square_norms: list[Tensor], state: StreamState) -> Tensor:
        """See `Quantizer.encode`; the decoded vectors are those of the codebooks in use."""
        (decoded,) = state.kept(self) or (self.first[None],)
        codes = []
        for row in rows.split(1):
            decoded, code = self._follow(row, decoded, square_norms)
            codes.append(code)
        state.keep(self, decoded)
        return torch.cat(codes)

    def decode(self, codes: Tensor, state: StreamState) -> Tensor:
        """See `Quantizer.decode`."""
        rows = self.codebook.lookup(codes)
        (decoded,) = state.kept(self) or (self.first[None],)
        vectors = []
        for row in rows.split(1):
            decoded = self.prediction * decoded + row
            vectors.append(decoded)
        state.keep(self, decoded)
        return torch.cat(vectors)

    def _follow(
        self, rows: Tensor, decoded: Tensor, square_norms: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the decoded vectors `[rows, dim]` of the next frame, and its codes."""
        predicted = self.prediction * decoded
        codes = self.codebook.search_best(rows - predicted, square_norms, self.candidates)
        return predicted + self.codebook.lookup(codes.t()), codes

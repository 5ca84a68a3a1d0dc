"""AudioDec's quantiser: residual vectors quantised as columns of the projected sound."""

from torch import Tensor, nn

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

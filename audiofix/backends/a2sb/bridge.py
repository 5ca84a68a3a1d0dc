"""The Schrödinger bridge between a clean image (t = 0) and a damaged one (t = 1).

After Liu et al., "I2SB" (2023): a symmetric noise schedule, whose marginals are known in closed
form. beta(t) = beta_max t^2 up to t = 0.5 and beta_max (1 - t)^2 above.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Bridge:
    """The bridge's numbers. Times and what is computed of them are tensors of one shape.

    Attributes:
        beta_max: highest rate of the noise schedule.
    """

    beta_max: float = 1.0

    def forward_variance(self, t: Tensor) -> Tensor:
        """Return the integral of beta from 0 to `t`: the noise between the clean image and t."""
        late = self.beta_max / 12 - self.beta_max * (1 - t) ** 3 / 3
        return torch.where(t <= 0.5, self.beta_max * t**3 / 3, late)

    def forward_std(self, t: Tensor) -> Tensor:
        """Return sigma_f: what the network's output is measured in."""
        return self.forward_variance(t).sqrt()

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weights of the clean and of the damaged image at `t`, and the variance."""
        forward, reverse = self.forward_variance(t), self.forward_variance(1 - t)
        total = forward + reverse
        return reverse / total, forward / total, forward * reverse / total

    def sample(self, t: Tensor, clean: Tensor, damaged: Tensor, noise: Tensor | None) -> Tensor:
        """Return the image at `t`, given both of its ends.

        Args:
            t: `[batch]`.
            clean: `[batch, channels, rows, frames]`.
            damaged: of the same shape.
            noise: of unit variance, of the same shape; None leaves the mean.
        """
        of_clean, of_damaged, variance = (wide(part, clean) for part in self.coefficients(t))
        mean = of_clean * clean + of_damaged * damaged
        return mean if noise is None else mean + variance.sqrt() * noise

    def target(self, t: Tensor, image: Tensor, clean: Tensor) -> Tensor:
        """Return what the network should say of `image` at `t`: `(image - clean) / sigma_f`."""
        return (image - clean) / wide(self.forward_std(t), image)

    def clean_estimate(self, t: Tensor, image: Tensor, velocity: Tensor) -> Tensor:
        """Return the clean image that the network's output stands for."""
        return image - wide(self.forward_std(t), image) * velocity

    def posterior(
        self, earlier: Tensor, t: Tensor, image: Tensor, clean: Tensor, noise: Tensor | None
    ) -> Tensor:
        """Return the image at an earlier time, given it at `t` and an estimate of the clean one.

        Args:
            earlier: `[batch]`, less than `t`.
            t: `[batch]`.
            image: `[batch, channels, rows, frames]`.
            clean: of the same shape.
            noise: of unit variance; None leaves the mean, which is the optimal-transport path.
        """
        now, before = self.forward_variance(t), self.forward_variance(earlier)
        step = now - before
        mean = wide(step / now, image) * clean + wide(before / now, image) * image
        if noise is None:
            return mean
        return mean + wide((before * step / now).sqrt(), image) * noise


def wide(values: Tensor, image: Tensor) -> Tensor:
    """Return `[batch]` values as `[batch, 1, 1, 1]`, in the type of `image`."""
    return values.reshape(-1, *[1] * (image.ndim - 1)).to(image.dtype)

"""Augmentation of features whose probability follows the discriminator's overfitting.

Karras et al., 2020 (ADA), as ASGAN has it (specification, section 6.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

_UPDATES = 6
"""Discriminator updates between two looks at its scores."""

_MUCH, _TARGET = 0.98, 0.6
"""Mean signs of real scores above which the probability rises fast, and slowly."""

_STEP = 0.005
_ALWAYS = 16
_LEAST = 1e-8
_SCALE_DEVIATION = 0.05


@dataclass(slots=True)
class AdaptiveAugmentation:
    """The augmentation of real and generated features, and its probability.

    Attributes:
        probability: of each kind of change to a batch.
        noise: deviation of the noise that is added (published: 0.05; mel spectra 0.2).
        overfitting: mean sign of the real scores when they were last looked at.
    """

    probability: float = 0.2
    noise: float = 0.05
    overfitting: float = _TARGET
    _signs: list[float] = field(default_factory=list)

    def observe(self, mean_sign: float) -> None:
        """Take the mean sign of one update's real scores, and adapt the probability in time."""
        self._signs.append(mean_sign)
        if len(self._signs) < _UPDATES:
            return
        self.overfitting = sum(self._signs) / _UPDATES
        self._signs.clear()
        change = 0.0
        if self.overfitting > _MUCH:
            change = 10 * _STEP
        elif self.overfitting != _TARGET:
            change = _STEP if self.overfitting > _TARGET else -_STEP
        self.probability = min(max(self.probability + change, _LEAST), 1 - _LEAST)

    def skips_update(self, step: int, drawn: float) -> bool:
        """Tell whether the discriminator leaves this turn to the generator (update skipping).

        Args:
            step: one in 16 is never skipped.
            drawn: uniform in [0, 1).
        """
        return step % _ALWAYS != 0 and drawn < self.probability

    def apply(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed copies of `[batch, frames, features]`, drawn by torch's own generator."""
        if self._chance():
            real = real + self.noise * torch.randn_like(real)
            fake = fake + self.noise * torch.randn_like(fake)
        if self._chance():
            real, fake = (one * _scales(one) for one in (real, fake))
        if self._chance():
            real = _with_a_frame_of(real, fake.detach())
        if self._chance():
            real = _with_a_mixed_stretch(real, fake.detach())
            fake = _with_a_mixed_stretch(fake, real.detach())
        return real, fake

    def state_dict(self) -> dict[str, object]:
        """Return what a resumed run needs."""
        return {
            "probability": self.probability,
            "overfitting": self.overfitting,
            "signs": list(self._signs),
        }

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Go on from `state_dict`."""
        self.probability = float(state["probability"])  # type: ignore[arg-type]
        self.overfitting = float(state["overfitting"])  # type: ignore[arg-type]
        self._signs = list(state["signs"])  # type: ignore[call-overload]

    def _chance(self) -> bool:
        return torch.rand(()).item() < self.probability


def _scales(x: Tensor) -> Tensor:
    return 1 + _SCALE_DEVIATION * torch.randn(len(x), 1, 1, device=x.device, dtype=x.dtype)


def _with_a_frame_of(x: Tensor, other: Tensor) -> Tensor:
    """Replace one frame of each item, drawn for each, by the other's at that place."""
    batch, frames, _ = x.shape
    chosen = torch.arange(frames) == torch.randint(frames, (batch, 1))
    return torch.where(chosen[..., None].to(x.device), other, x)


def _with_a_mixed_stretch(x: Tensor, other: Tensor) -> Tensor:
    """Blend one stretch of at most half the frames with the other's, by one weight drawn."""
    frames = x.shape[1]
    length = int(torch.randint(frames // 2 + 1, ()))
    start = int(torch.randint(frames - length + 1, ()))
    weights = torch.zeros(frames, 1, device=x.device, dtype=x.dtype)
    weights[start : start + length] = torch.rand(())
    return x + weights * (other - x)

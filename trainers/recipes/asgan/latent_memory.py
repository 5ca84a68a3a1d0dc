"""The latents that the last words of each label had, for the mapping network to learn from."""

from collections.abc import Mapping

import torch
from torch import Tensor


class LatentMemory:
    """The last latents of every label."""

    def __init__(self, labels: int, size: int, w_dim: int, device: torch.device) -> None:
        """Begin empty.

        Args:
            labels: how many there are.
            size: latents kept of each.
            w_dim: length of a latent.
            device: where they are kept.
        """
        self._latents = torch.zeros(labels, size, w_dim, device=device)
        self._seen = [0] * labels

    @property
    def is_full(self) -> bool:
        """Whether there are `size` latents of every label."""
        return min(self._seen) >= self._latents.shape[1]

    def keep(self, latents: Tensor, labels: Tensor) -> None:
        """Take the latents `[batch, w_dim]` of words with these labels; the oldest ones go."""
        for latent, label in zip(latents.detach(), labels.tolist(), strict=True):
            self._latents[label, self._seen[label] % self._latents.shape[1]] = latent
            self._seen[label] += 1

    def draw(self, count: int) -> Tensor:
        """Return latents `[labels, count, w_dim]`, drawn by torch's own generator."""
        labels, size, _ = self._latents.shape
        chosen = torch.randint(size, (labels, count))
        return self._latents[torch.arange(labels)[:, None], chosen]

    def state_dict(self) -> dict[str, object]:
        """Return what a resumed run needs."""
        return {"latents": self._latents, "seen": list(self._seen)}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Go on from `state_dict`."""
        self._latents.copy_(state["latents"])  # type: ignore[arg-type]
        self._seen = list(state["seen"])  # type: ignore[call-overload]

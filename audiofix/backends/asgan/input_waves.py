"""The first signal inside ASGAN's generator: waves whose phase the latent decides.

Specification, section 3.3; StyleGAN3 (Karras et al., 2021, appendix F) for `SynthesisInput`.
Attribute names are those of the authors' checkpoints.
"""

import math

import torch
from torch import Tensor, nn

from audiofix.backends.asgan.equalized import EqualizedLinear
from audiofix.errors import SettingsError

_BANDWIDTH = 2.0


class SynthesisInput(nn.Module):
    """Waves of fixed frequencies, turned and shifted by the latent."""

    transform: Tensor
    freqs: Tensor
    phases: Tensor

    def __init__(self, w_dim: int, channels: int, frames: int, equalized: bool) -> None:
        """Draw frequencies within the band, and phases.

        Raises:
            SettingsError: 8 frames, for which the amplitudes divide by zero.
        """
        super().__init__()
        if frames == 8:
            raise SettingsError("8 frames at the input divide by zero: use 6 or 12")
        self.frames = frames
        plane = torch.randn(channels, 2, device="cpu")
        radius = plane.norm(dim=1, keepdim=True)
        order = radius[:, 0].argsort()
        freqs = (plane / radius * torch.exp(-radius.square() / 4) * _BANDWIDTH)[order]
        self.register_buffer("transform", torch.eye(3, device="cpu"))
        self.register_buffer("freqs", freqs)
        self.register_buffer("phases", torch.rand(channels, device="cpu") - 0.5)
        self.affine = EqualizedLinear(w_dim, 4, equalized)
        self.mlp = EqualizedLinear(channels, channels, equalized, bias=False)
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0], device="cpu"))

    def waves(self, w: Tensor) -> Tensor:
        """Return `[batch, frames, channels]` of latents `[batch, w_dim]`."""
        turn = self.affine(w)
        turn = turn / turn[:, :2].norm(dim=1, keepdim=True)
        a, b, x, y = turn.unbind(1)
        zero, one = torch.zeros_like(a), torch.ones_like(a)
        rotation = torch.stack([a, -b, zero, b, a, zero, zero, zero, one], 1).view(-1, 3, 3)
        shift = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], 1).view(-1, 3, 3)
        matrix = rotation @ shift @ self.transform
        phases = self.phases + (self.freqs @ matrix[:, :2, 2:])[..., 0]
        freqs = self.freqs @ matrix[:, :2, :2]
        # At 6 frames the denominator is negative, and high frequencies pass instead of low ones.
        # The released model was trained so.
        damping = (freqs.norm(dim=2) - _BANDWIDTH) / (self.frames / 4 - _BANDWIDTH)
        amplitudes = (1 - damping).clamp(0, 1)
        places = (2 * torch.arange(self.frames, device=w.device) + 1) / self.frames - 1
        angles = places[:, None] * freqs[:, None, :, 0] + phases[:, None]
        waves: Tensor = torch.sin(2 * math.pi * angles) * amplitudes[:, None]
        return waves

    def forward(self, w: Tensor) -> Tensor:
        """Return `[batch, frames, channels]`, every channel a mixture of the waves."""
        return self.mlp(self.waves(w))  # type: ignore[no-any-return]


class FourierFeature(nn.Module):
    """Waves of fixed frequencies, shifted together by the latent."""

    B: Tensor

    def __init__(
        self, w_dim: int, channels: int, frames: int, equalized: bool, deviation: float = 0.1
    ) -> None:
        """Draw the frequencies, normal with this deviation."""
        super().__init__()
        self.frames = frames
        drawn = torch.randn(channels, device="cpu") * deviation
        self.register_buffer("B", drawn[drawn.abs().argsort()])
        self.affine = EqualizedLinear(w_dim, 1, equalized)
        self.mlp = EqualizedLinear(channels, channels, equalized, bias=False)

    def waves(self, w: Tensor) -> Tensor:
        """Return `[batch, frames, channels]` of latents `[batch, w_dim]`."""
        places = torch.linspace(0, 1, self.frames, device=w.device, dtype=w.dtype)
        angles = places[:, None] * self.B + self.affine(w)[:, :, None]
        return torch.sin(2 * math.pi * angles)

    def forward(self, w: Tensor) -> Tensor:
        """Return `[batch, frames, channels]`, every channel a mixture of the waves."""
        return self.mlp(self.waves(w))  # type: ignore[no-any-return]

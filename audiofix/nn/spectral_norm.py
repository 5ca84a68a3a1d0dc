"""Spectral normalisation under the names of published checkpoints (Miyato et al., ICLR 2018).

torch's own keeps its tensors under other names, and its older form is deprecated.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, normalize

_EPSILON = 1e-12


class SpectralNormConv2d(nn.Module):
    """A convolution whose weight, as a matrix, has largest singular value 1.

    Every forward pass in training mode improves the estimate of that value by one step of power
    iteration, so that its results depend on how often it was called.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int
    ) -> None:
        """Make the convolution with fresh weights."""
        super().__init__()
        fresh = nn.Conv2d(in_channels, out_channels, kernel_size)
        assert fresh.bias is not None
        self.stride = stride
        self.padding = padding
        self.bias = nn.Parameter(fresh.bias.detach())
        self.weight_orig = nn.Parameter(fresh.weight.detach())
        columns = self.weight_orig[0].numel()
        self.register_buffer("weight_u", normalize(torch.randn(out_channels), dim=0))
        self.register_buffer("weight_v", normalize(torch.randn(columns), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of `[batch, in_channels, height, width]`."""
        matrix = self.weight_orig.flatten(1)
        if self.training:
            self.iterate()
        # Copies: the next call's iteration must not touch what this one's gradients need.
        largest = self.weight_u.clone() @ matrix @ self.weight_v.clone()
        return conv2d(x, self.weight_orig / largest, self.bias, self.stride, self.padding)

    @torch.no_grad()
    def iterate(self) -> None:
        """Do one step of power iteration on the singular vectors, in place."""
        matrix = self.weight_orig.flatten(1)
        self.weight_v.copy_(normalize(matrix.T @ self.weight_u, dim=0, eps=_EPSILON))
        self.weight_u.copy_(normalize(matrix @ self.weight_v, dim=0, eps=_EPSILON))

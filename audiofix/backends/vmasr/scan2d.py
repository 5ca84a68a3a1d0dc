"""The two-dimensional selective scan (SS2D): four routes through a plane, scanned and added.

Liu et al., VMamba, 2024, section 4.2. Attribute names are those of released checkpoints.
"""

from math import ceil, log, sqrt
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from audiofix.ops.layer_norm import LayerNorm
from audiofix.ops.plane_scan import convolve, norm_gate, plane_scan, project, runs_natively
from audiofix.ops.selective_scan import selective_scan

ROUTES = 4
"""Along rows, along columns, and both reversed."""

_STEP_MIN, _STEP_MAX, _STEP_FLOOR = 1e-3, 1e-1, 1e-4


def cross_scan(x: Tensor) -> Tensor:
    """Lay a plane out along the four routes.

    Routes 2 and 3 are 0 and 1 walked from their end. They lie here in the order of 0 and 1: the
    scan reads them backwards, so nothing is flipped.

    Args:
        x: `[batch, channels, height, width]`.

    Returns:
        `[batch, 4, channels, height * width]`: row by row, column by column, and both again.
    """
    rows, columns = x.flatten(2), x.transpose(2, 3).flatten(2)
    return torch.stack([rows, columns, rows, columns], dim=1)


def cross_merge(ys: Tensor, height: int, width: int) -> Tensor:
    """Add the four routes up in the plane's order; the transpose of `cross_scan`.

    Args:
        ys: `[batch, 4, channels, height * width]`.
        height: rows of the plane.
        width: columns of the plane.

    Returns:
        `[batch, channels, height * width]`, row by row.
    """
    both = ys[:, :2] + ys[:, 2:]
    by_column: Tensor = both[:, 1].unflatten(-1, (width, height)).transpose(2, 3)
    return both[:, 0] + by_column.flatten(2)


class SS2D(nn.Module):
    """Gated two-dimensional selective scan, channels last."""

    def __init__(
        self,
        d_model: int,
        d_state: int = 1,
        ssm_ratio: float = 2.0,
        dt_rank: int | Literal["auto"] = "auto",
    ) -> None:
        """Make the operator for `d_model` channels, `d_state` states a row."""
        super().__init__()
        inner = int(ssm_ratio * d_model)
        self.rank = ceil(d_model / 16) if dt_rank == "auto" else dt_rank
        self.state = d_state
        self.x_proj_weight = nn.Parameter(torch.empty(ROUTES, self.rank + 2 * d_state, inner))
        self.dt_projs_weight = nn.Parameter(torch.empty(ROUTES, inner, self.rank))
        self.dt_projs_bias = nn.Parameter(torch.empty(ROUTES, inner))
        self.A_logs = nn.Parameter(torch.empty(ROUTES * inner, d_state))
        self.Ds = nn.Parameter(torch.ones(ROUTES * inner))
        self.out_norm = LayerNorm(inner)
        self.in_proj = nn.Linear(d_model, 2 * inner, bias=False)
        self.conv2d = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.out_proj = nn.Linear(inner, d_model, bias=False)
        self.reset_scan()

    def reset_scan(self) -> None:
        """Draw the scan's parameters afresh: steps log-uniform in [0.001, 0.1], decays n + 1."""
        if self.A_logs.is_meta:
            return
        inner = self.dt_projs_weight.shape[1]
        nn.init.uniform_(self.x_proj_weight, -1 / sqrt(inner), 1 / sqrt(inner))
        nn.init.uniform_(self.dt_projs_weight, -(self.rank**-0.5), self.rank**-0.5)
        with torch.no_grad():
            step = torch.empty_like(self.dt_projs_bias).uniform_(log(_STEP_MIN), log(_STEP_MAX))
            step = step.exp().clamp(min=_STEP_FLOOR)
            self.dt_projs_bias.copy_(step + torch.log(-torch.expm1(-step)))  # inverse softplus
            self.A_logs.copy_(torch.arange(1, self.state + 1).log().expand_as(self.A_logs))

    def forward(self, x: Tensor) -> Tensor:
        """Return the operator's output; in and out `[batch, height, width, d_model]`."""
        if runs_natively(x.permute(0, 3, 1, 2), self.state):
            return self._infer(x)
        values, gate = self.in_proj(x).chunk(2, dim=-1)
        plane = silu(self.conv2d(values.permute(0, 3, 1, 2)))
        height, width = plane.shape[2:]
        merged = cross_merge(self.scan(cross_scan(plane)), height, width)
        mixed = self.out_norm(merged.transpose(1, 2)).unflatten(1, (height, width))
        output: Tensor = self.out_proj(mixed * silu(gate))
        return output

    def _infer(self, x: Tensor) -> Tensor:
        """Return what `forward` does, channels first inside, so that no plane is ever permuted."""
        batch, height, width, _ = x.shape
        both = project(x.flatten(1, 2).transpose(1, 2), self.in_proj.weight)
        values, gate = both.chunk(2, dim=1)
        plane = convolve(values.unflatten(2, (height, width)), self.conv2d)
        # Each place is projected by itself: a route's projections need no route.
        projected = project(plane.flatten(2), self.x_proj_weight.flatten(0, 1))
        merged = plane_scan(
            plane,
            projected.view(batch, ROUTES, -1, height, width),
            self.dt_projs_weight,
            self.dt_projs_bias,
            -torch.exp(self.A_logs).view(ROUTES, -1, self.state),
            self.Ds.view(ROUTES, -1),
        )
        mixed = norm_gate(merged.flatten(2), gate, self.out_norm)
        output = project(mixed, self.out_proj.weight).transpose(1, 2)
        return output.reshape(batch, height, width, -1)

    def scan(self, routes: Tensor) -> Tensor:
        """Scan `[batch, 4, inner, length]` along its last axis; the same shape comes back."""
        step, B, C = self.project(routes)
        scanned = selective_scan(
            routes.flatten(1, 2).float(),
            step.flatten(1, 2).float(),
            -torch.exp(self.A_logs.float()),
            B.float(),
            C.float(),
            self.Ds.float(),
            self.dt_projs_bias.flatten().float(),
            delta_softplus=True,
            reversed_groups=ROUTES // 2,
        )
        return scanned.view_as(routes).to(routes.dtype)

    def project(self, routes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return step `[batch, 4, inner, length]`, and B and C `[batch, 4, state, length]`."""
        projected = self.x_proj_weight @ routes
        rank, B, C = projected.split([self.rank, self.state, self.state], dim=2)
        return self.dt_projs_weight @ rank, B.contiguous(), C.contiguous()

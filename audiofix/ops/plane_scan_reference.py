"""The plane scan in plain torch: routes laid out, scanned one by one, and added."""

import torch
from torch import Tensor

from audiofix.ops.selective_scan_reference import selective_scan_reference


def plane_scan_reference(
    plane: Tensor, projected: Tensor, step_weight: Tensor, step_bias: Tensor, A: Tensor, D: Tensor
) -> Tensor:
    """Return the sum of the four routes; see `plane_scan` for shapes."""
    rank, state = step_weight.shape[2], A.shape[2]
    total = torch.zeros_like(plane)
    for route in range(4):
        factors, B, C = _walked(projected[:, route], route).split([rank, state, state], dim=1)
        scanned = selective_scan_reference(
            _walked(plane, route),
            step_weight[route] @ factors,
            A[route],
            B[:, None],
            C[:, None],
            D[route],
            step_bias[route],
            delta_softplus=True,
        )
        total = total + _laid_back(scanned, route, plane)
    return total


def _walked(plane: Tensor, route: int) -> Tensor:
    """Return `[batch, channels, places]` in the order in which the route visits them."""
    ordered = (plane.transpose(2, 3) if route % 2 else plane).flatten(2)
    return ordered.flip(2) if route >= 2 else ordered


def _laid_back(walked: Tensor, route: int, like: Tensor) -> Tensor:
    """Undo `_walked`."""
    height, width = like.shape[2:]
    ordered = walked.flip(2) if route >= 2 else walked
    if route % 2:
        return ordered.reshape(*ordered.shape[:2], width, height).transpose(2, 3)
    return ordered.reshape(*ordered.shape[:2], height, width)

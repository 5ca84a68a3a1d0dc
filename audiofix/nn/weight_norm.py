"""Weight normalisation under the names of published checkpoints (Salimans, Kingma, 2016).

torch's own keeps its tensors under other names, and its older form is deprecated.
"""

import torch
from torch import Tensor, nn

_KINDS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d)


def add_weight_norm(network: nn.Module) -> None:
    """Replace the `weight` of every convolution by `weight_g` and `weight_v`, in place.

    The weight is `g * v / |v|`, the norm over all axes but the first. Of a transposed convolution
    the first axis is its input's.
    """
    for module in network.modules():
        if isinstance(module, _KINDS):
            weight = module.weight.detach().clone()
            del module.weight
            module.weight_g = nn.Parameter(_norm(weight))
            module.weight_v = nn.Parameter(weight)
            # The weight exists during a call only, so that a module can be copied after one.
            module.register_forward_pre_hook(_compose)
            module.register_forward_hook(_discard, always_call=True)


def fold_weight_norm(network: nn.Module) -> None:
    """Compute every normed `weight` once and for all, in place; training ends here."""
    for module in network.modules():
        if _is_normed(module):
            weight = weight_of(module)
            del module.weight_g, module.weight_v
            module.weight = nn.Parameter(weight.detach(), requires_grad=False)


def weight_of(convolution: nn.Module) -> Tensor:
    """Return the weight of a convolution, normed or not."""
    tensors = dict(convolution.named_parameters(recurse=False))
    if "weight" in tensors:
        return tensors["weight"]
    weight_g, weight_v = tensors["weight_g"], tensors["weight_v"]
    return weight_v * (weight_g / _norm(weight_v))


def _norm(weight: Tensor) -> Tensor:
    axes = tuple(range(1, weight.dim()))
    if weight.is_meta:
        return weight.new_empty(weight.shape[0], *(1 for _ in axes))
    norm: Tensor = torch.linalg.vector_norm(weight, dim=axes, keepdim=True)
    return norm


def _is_normed(module: nn.Module) -> bool:
    return "weight_v" in dict(module.named_parameters(recurse=False))


def _compose(module: nn.Module, _: object) -> None:
    if _is_normed(module):
        module.weight = weight_of(module)


def _discard(module: nn.Module, _: object, __: object) -> None:
    if _is_normed(module):
        del module.weight

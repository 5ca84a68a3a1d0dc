"""Let a loaded VM-ASR run its blocks as single kernels, where the machine has them."""

import torch
from torch import Tensor, nn

from audiofix.backends.vmasr.blocks import VSSBlock
from audiofix.ops.block import BlockTensors, FusedBlock, fits
from audiofix.ops.selection import uses_native


def fuse(network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
    """Give every block of a network on the CPU its packed weights, if the kernel takes it.

    The network's weights must not change afterwards. On another device, or where gradients are
    wanted, a block goes on running layer by layer.

    Args:
        network: whose blocks.
        dtype: `torch.bfloat16` for products on matrix units; see `ops.block.FusedBlock`.
    """
    for module in network.modules():
        if not isinstance(module, VSSBlock):
            continue
        weight = module.op.in_proj.weight
        inner, channels = module.op.out_norm.normalized_shape[0], weight.shape[1]
        if (
            weight.device.type == "cpu"
            and uses_native(weight)
            and fits(channels, inner, module.op.rank, module.op.state)
        ):
            module.fused = FusedBlock(
                _tensors(module), module.op.out_norm.eps, bfloat16=dtype is torch.bfloat16
            )


def _tensors(block: VSSBlock) -> BlockTensors:
    op, mlp = block.op, block.mlp
    inner = op.out_norm.normalized_shape[0]
    return BlockTensors(
        norm=_norm(block.norm),
        in_proj=op.in_proj.weight,
        convolution=op.conv2d.weight,
        convolution_bias=_bias(op.conv2d),
        x_proj=op.x_proj_weight,
        step_weight=op.dt_projs_weight,
        step_bias=op.dt_projs_bias,
        A=-torch.exp(op.A_logs).view(-1, inner),
        D=op.Ds.view(-1, inner),
        out_norm=torch.stack([op.out_norm.weight, op.out_norm.bias]),
        out_proj=op.out_proj.weight,
        norm2=_norm(block.norm2),
        first=mlp.fc1.weight,
        first_bias=mlp.fc1.bias,
        second=mlp.fc2.weight,
        second_bias=mlp.fc2.bias,
    )


def _norm(norm: nn.Module) -> Tensor | None:
    return torch.stack([norm.weight, norm.bias]) if isinstance(norm, nn.LayerNorm) else None


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias

"""The loss of a Schrödinger bridge's network (A2SB, Kong et al., 2025)."""

from torch import Tensor

from audiofix.backends.a2sb.blocks import time_embedding
from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.network import UNet


def bridge_loss(
    network: UNet,
    bridge: Bridge,
    clean: Tensor,
    damaged: Tensor,
    mask: Tensor,
    t: Tensor,
    noise: Tensor | None,
) -> Tensor:
    """Return the mean squared error of the velocity over the masked part of all images.

    Args:
        network: called with the image at `t`.
        bridge: between both images.
        clean: `[batch, 3, rows, frames]`.
        damaged: of the same shape.
        mask: 1 where it counts, of the same shape or one that broadcasts.
        t: `[batch]`, 0 to 1.
        noise: of unit variance and the image's shape; None for the bridge's mean.
    """
    image = bridge.sample(t, clean, damaged, noise)
    said = network(image, time_embedding(t, network.config.emb_channels))
    error = (said.float() - bridge.target(t, image, clean)) ** 2
    counted = mask.expand_as(error)
    mean: Tensor = (counted * error).sum() / counted.sum()
    return mean

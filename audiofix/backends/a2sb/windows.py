"""A network that sees so many frames, on images of more: the mean of what it says of windows."""

from collections.abc import Callable

import torch
from torch import Tensor

from audiofix.backends.a2sb.config import BridgeConfig
from audiofix.backends.a2sb.sampling import Canvas, Noise, Velocity, Walk, sample


def windowed(velocity: Velocity, config: BridgeConfig, batch: int) -> Velocity:
    """Return a velocity for images of whole windows, from one for single windows.

    Args:
        velocity: for `[windows, 3, rows, window_frames]`.
        config: windows and the hop between them.
        batch: most windows at once.
    """

    def of_image(image: Tensor, t: float) -> Tensor:
        return window_average(
            lambda windows: velocity(windows, t),
            image,
            width=config.window_frames,
            hop=config.window_hop,
            batch=batch,
        )

    return of_image


def sample_image(
    walk: Walk,
    damaged: Tensor,
    mask: Tensor,
    velocity: Velocity,
    config: BridgeConfig,
    noise: Noise,
    *,
    batch: int = 16,
) -> list[Tensor]:
    """Return `sampling.sample` of a whole image, padded as published and cut again.

    Args:
        walk: the sampler.
        damaged: `[1, 3, rows, frames]`.
        mask: of the same shape.
        velocity: of single windows.
        config: the windows.
        noise: draws of the padded shape.
        batch: most windows at once.
    """
    frames = damaged.shape[-1]
    image, whole_mask = (
        pad_frames(part, config.window_frames, config.window_hop) for part in (damaged, mask)
    )
    canvas = Canvas(image, image, whole_mask)
    estimates = sample(walk, canvas, windowed(velocity, config, batch), noise)
    return [estimate[..., :frames] for estimate in estimates]


def pad_frames(image: Tensor, width: int, hop: int) -> Tensor:
    """Return an image long enough for whole windows: its own first frames stand behind it again.

    An image too short for that is repeated as often as it takes; the published code fails there.
    """
    frames = image.shape[-1]
    whole = width if frames <= width else -(-(frames - width) // hop) * hop + width
    return torch.cat([image] * -(-whole // frames), dim=-1)[..., :whole].clone()


def window_average(
    process: Callable[[Tensor], Tensor], image: Tensor, *, width: int, hop: int, batch: int
) -> Tensor:
    """Return the mean of what `process` makes of the windows that cover each frame.

    Args:
        process: `[windows, channels, rows, width]` to the same shape.
        image: `[1, channels, rows, frames]`, frames a whole number of windows.
        width: frames of a window.
        hop: frames between windows.
        batch: most windows at once.
    """
    count = (image.shape[-1] - width) // hop + 1
    total, covering = torch.zeros_like(image), torch.zeros_like(image[0, 0, 0])
    starts = torch.arange(count) * hop
    for group in starts.chunk(-(-count // batch)):
        windows = torch.cat([image[..., start : start + width] for start in group.tolist()])
        for made, start in zip(process(windows), group.tolist(), strict=True):
            total[..., start : start + width] += made
            covering[start : start + width] += 1
    return total / covering

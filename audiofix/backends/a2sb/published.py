"""The sampler as published: a uniform grid of times, window outputs averaged at every step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.config import BridgeConfig
from audiofix.backends.a2sb.masks import zero_run_middles

LAST_TIME = 0.05
"""Where the grid ends; the network is not called there."""

Velocity = Callable[[Tensor, float], Tensor]
"""What a network says of images `[batch, 3, rows, frames]` at one time."""

Noise = Callable[[Sequence[int]], Tensor]
"""Draws unit-variance noise of a shape; its calls are numbered by their order."""


@dataclass(frozen=True, slots=True)
class PublishedSampler:
    """The authors' sampler on whole images.

    Attributes:
        velocity: the networks.
        config: windows and schedule.
        noise: of the posterior, then of the known region, at each step.
        batch: windows at once.
        deterministic: without noise (`use_ot_ode`).
    """

    velocity: Velocity
    config: BridgeConfig
    noise: Noise
    batch: int = 16
    deterministic: bool = False

    def run(self, damaged: Tensor, mask: Tensor, steps: int) -> list[Tensor]:
        """Return the estimate of the clean image after each of `steps - 1` calls.

        Args:
            damaged: `[1, 3, rows, frames]`, noise where `mask` is 1.
            mask: of the same shape, 1 where the image is to be made.
            steps: times of the grid.
        """
        frames, config = damaged.shape[-1], self.config
        padded = pad_frames(damaged, config.window_frames, config.window_hop)
        padded_mask = pad_frames(mask, config.window_frames, config.window_hop)
        return [image[..., :frames] for image in self._walk(padded, padded_mask, steps)]

    def run_fast(self, damaged: Tensor, mask: Tensor, steps: int) -> Tensor:
        """Return the estimate of `fast_inpaint_mode`: one window at each gap, in order.

        Args:
            damaged: see `run`.
            mask: see `run`; whole frames.
            steps: see `run`.
        """
        frames, width = damaged.shape[-1], self.config.window_frames
        image = pad_frames(damaged, width, self.config.window_hop)
        padded_mask = torch.nn.functional.pad(mask, (0, image.shape[-1] - frames))
        known = (1 - padded_mask[0, 0, 0]).cpu().numpy()
        for middle in zero_run_middles(known):
            start = min(max(0, middle - width // 2), image.shape[-1] - width)
            window = slice(start, start + width)
            made = self._walk(image[..., window], padded_mask[..., window], steps)[-1]
            image[..., window] = made
        return image[..., :frames]

    def _walk(self, damaged: Tensor, mask: Tensor, steps: int) -> list[Tensor]:
        bridge, image = Bridge(self.config.beta_max), damaged
        times = torch.linspace(1, LAST_TIME, steps)
        estimates: list[Tensor] = []
        for t, earlier in zip(times[:-1, None], times[1:, None], strict=True):
            velocity = window_average(
                lambda windows, t=t: self.velocity(windows, t.item()),
                image,
                width=self.config.window_frames,
                hop=self.config.window_hop,
                batch=self.batch,
            )
            clean = bridge.clean_estimate(t, image, velocity)
            clean = clean * mask + damaged * (1 - mask)
            estimates.append(clean)
            # The last turn's noise changes nothing, but it counts among the published draws.
            noise = None if self.deterministic else self.noise(image.shape)
            made = bridge.posterior(earlier, t, image, clean, noise)
            known = damaged
            if not self.deterministic:
                variance = bridge.coefficients(earlier)[2]
                known = damaged + variance.sqrt().to(damaged) * self.noise(image.shape)
            image = (1 - mask) * known + mask * made
        return estimates


def pad_frames(image: Tensor, width: int, hop: int) -> Tensor:
    """Return an image long enough for whole windows: its own first frames stand behind it again.

    An image too short for that is repeated as often as it takes; the published code fails there.
    """
    frames = image.shape[-1]
    whole = width if frames <= width else -(-(frames - width) // hop) * hop + width
    times = -(-whole // frames)
    return torch.cat([image] * times, dim=-1)[..., :whole].clone()


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
    starts = [place * hop for place in range(count)]
    for group in torch.arange(count).chunk(-(-count // batch)):
        windows = torch.cat([image[..., starts[k] : starts[k] + width] for k in group.tolist()])
        for made, k in zip(process(windows), group.tolist(), strict=True):
            window = slice(starts[k], starts[k] + width)
            total[..., window] += made
            covering[window] += 1
    return total / covering

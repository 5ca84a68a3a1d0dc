"""The window-averaged sampler on endless images: what is final is handed on.

With windows of two blocks, a block may take its step n when both windows over it took theirs. So
each new block lets one window take its first step, the window before it its second, and so on: a
wave that runs back over as many windows as there are steps. The result is that of the whole image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from audiofix.backends.a2sb.sampling import Canvas, Noise, Velocity, Walk


@dataclass(slots=True)
class _Block:
    """Frames that lie in two windows, or in one at an end of the image.

    Attributes:
        canvas: where they are.
        velocity: sum of what the windows so far said at the next step.
        windows: how many did.
        steps: taken.
    """

    canvas: Canvas
    velocity: Tensor
    windows: int = 0
    steps: int = 0


class SlidingSampler:
    """Samples an image block by block, in memory for as many blocks as there are steps."""

    def __init__(
        self, walk: Walk, velocity: Velocity, noise_of_block: Callable[[int], Noise]
    ) -> None:
        """Start an image.

        Args:
            walk: the sampler.
            velocity: of single windows, which are two blocks wide.
            noise_of_block: gives the draws of a block by its number.
        """
        self._walk = walk
        self._times = walk.times
        self._velocity = velocity
        self._noise_of_block = noise_of_block
        self._blocks: dict[int, _Block] = {}
        self._count = 0

    @property
    def delay(self) -> int:
        """Blocks that must follow a block before it is final."""
        return len(self._times) + 1

    def push(self, damaged: Tensor, mask: Tensor) -> list[Tensor]:
        """Accept a block `[1, 3, rows, frames]`; return clean blocks that are now final."""
        canvas = Canvas(damaged, damaged, mask)
        self._blocks[self._count] = _Block(canvas, torch.zeros_like(damaged))
        self._count += 1
        self._wave(self._count - 2, 0)
        return self._final()

    def flush(self) -> list[Tensor]:
        """End the image, which has two blocks at least, and return the rest."""
        last = self._count - 1
        assert last >= 1
        for step in range(len(self._times)):
            self._advance(last)
            self._wave(last - 1, step + 1)
        return self._final()

    def _wave(self, window: int, step: int) -> None:
        """Let a window take a step, the one before it the next step, and so on."""
        while window >= 0 and step < len(self._times):
            blocks = self._blocks[window], self._blocks[window + 1]
            image = torch.cat([block.canvas.image for block in blocks], dim=-1)
            mask = torch.cat([block.canvas.mask for block in blocks], dim=-1)
            frames = blocks[0].velocity.shape[-1]
            if mask.any():  # else the known image is put back, whatever a network says
                said = self._velocity(image, self._times[step])
                blocks[0].velocity += said[..., :frames]
                blocks[1].velocity += said[..., frames:]
            for block in blocks:
                block.windows += 1
            self._advance(window)
            window, step = window - 1, step + 1

    def _advance(self, number: int) -> None:
        """Let a block take its next step, for which its windows have said everything."""
        block = self._blocks[number]
        noise = self._noise_of_block(number)
        velocity = block.velocity / block.windows
        block.canvas = self._walk.step(block.steps, block.canvas, velocity, noise)
        block.velocity = torch.zeros_like(block.velocity)
        block.windows = 0
        block.steps += 1

    def _final(self) -> list[Tensor]:
        final = []
        for number in sorted(self._blocks):
            block = self._blocks[number]
            if block.steps < len(self._times):
                break
            assert block.canvas.clean is not None
            final.append(block.canvas.clean)
            del self._blocks[number]
        return final

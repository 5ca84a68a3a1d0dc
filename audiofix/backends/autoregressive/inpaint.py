"""`inpaint` without a network; `dsp.autoregression` is the method."""

import numpy as np
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat
from audiofix.backends.filling import draws_of, gap_stage
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import InpaintRequest
from audiofix.backends.weights import Checkpoint
from audiofix.dsp.autoregression import GapFiller
from audiofix.errors import UsageError
from audiofix.streaming.gaps import Gap
from audiofix.streaming.stage import Stage


def open(checkpoint: Checkpoint, placement: Placement) -> "AutoregressiveInpainter":  # noqa: A001
    """Return the inpainter; it has no weights and computes on the CPU."""
    return AutoregressiveInpainter(checkpoint.name)


class AutoregressiveInpainter:
    """`tasks.Restorer` for gaps, at any rate."""

    rate = 0

    def __init__(self, name: str) -> None:
        """Take the name that messages use."""
        self.name = name

    def stage(self, source: AudioFormat, request: InpaintRequest) -> Stage:
        """Return a fresh stage that fills each channel by itself.

        Raises:
            UsageError: a gap makes no sense, or there are steps, which belong to diffusion.
        """
        if request.steps is not None:
            raise UsageError(f"--steps: {self.name} is no diffusion model: leave --steps out")
        filler = GapFiller(source.rate)

        def fill(
            left: NDArray[np.float64], gap: Gap, right: NDArray[np.float64]
        ) -> NDArray[np.float64]:
            count = gap.end - gap.start
            rows = [
                filler.fill(before, count, behind, draws_of(request.seed, gap.start, channel))
                for channel, before, behind in zip(gap.channels, left, right, strict=True)
            ]
            return np.stack(rows)

        return gap_stage(source, request, fill, context=filler.context)

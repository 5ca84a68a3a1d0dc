"""What a backend offers: one protocol per task, and the typed requests that tasks make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from audiofix.audio.format import AudioFormat
from audiofix.streaming.stage import Stage


@dataclass(frozen=True, slots=True)
class UpsampleRequest:
    """Restore the high band and return sound at `to_rate`.

    Attributes:
        to_rate: samples per second of the result.
        cutoff_hz: where the input's band ends; None finds it while the stream passes.
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
    """

    to_rate: int
    cutoff_hz: float | None = None
    steps: int | None = None


class Restorer(Protocol):
    """A loaded model that turns sound into better sound. Serves any number of streams."""

    name: str
    rate: int
    """Samples per second at which the model itself works."""

    def stage(self, source: AudioFormat, request: UpsampleRequest) -> Stage:
        """Return a fresh stage for one stream of this format."""
        ...


Config = Mapping[str, object]
"""The settings of a network as its checkpoint or a parity file spells them."""

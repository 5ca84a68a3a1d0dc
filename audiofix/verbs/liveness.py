"""How late a live stream is: what `--realtime` reports."""

from statistics import quantiles

_WARM_UP = 20
"""Blocks that are not counted: the first calls of a model allocate."""


class Clock:
    """Times of computing, one a frame."""

    def __init__(self, frame_seconds: float) -> None:
        """Expect a frame every `frame_seconds`."""
        self._frame = frame_seconds
        self._seen = 0
        self._times: list[float] = []

    def note(self, seconds: float) -> None:
        """Remember how long a frame took."""
        self._seen += 1
        if self._seen > _WARM_UP:
            self._times.append(seconds)

    @property
    def under_runs(self) -> int:
        """Frames that took longer than they last."""
        return sum(seconds > self._frame for seconds in self._times)

    def summary(self, algorithmic: float) -> str:
        """Return one line for people; `algorithmic` seconds are waited whatever the machine."""
        if len(self._times) < 2:
            return "too short to measure its delay"
        cuts = quantiles(self._times, n=100)
        return (
            f"algorithmic delay {algorithmic * 1e3:.2f} ms, computing a frame {cuts[49] * 1e3:.2f} "
            f"ms (median), {cuts[98] * 1e3:.2f} ms (p99), {self.under_runs} under-runs in "
            f"{len(self._times)} frames of {self._frame * 1e3:.2f} ms"
        )

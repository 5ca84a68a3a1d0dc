"""How late a live stream is: what `--realtime` reports."""

from statistics import quantiles

_WARM_UP = 20
"""Frames that are not counted: the first calls of a model allocate."""


class LatencyMeter:
    """How long computing took, frame by frame, and how long sound waited whatever it took."""

    def __init__(self, frame_seconds: float) -> None:
        """Expect a frame every `frame_seconds`."""
        self._frame = frame_seconds
        self._times: list[float] = []
        self._waited = 0.0

    def note(self, seconds: float, frames: int = 1) -> None:
        """Remember how long so many frames took together."""
        self._times += [seconds / frames] * frames

    def wait(self, seconds: float) -> None:
        """Remember how much sound has come in that is not sent on; the most counts."""
        self._waited = max(self._waited, seconds)

    def summary(self) -> str:
        """Return one line for people."""
        times = self._times[_WARM_UP:]
        if len(times) < 2:
            return "too short to measure its delay"
        cuts = quantiles(times, n=100)
        late = sum(seconds > self._frame for seconds in times)
        return (
            f"algorithmic delay {self._waited * 1e3:.2f} ms, computing a frame "
            f"{cuts[49] * 1e3:.2f} ms (median), {cuts[98] * 1e3:.2f} ms (p99), "
            f"{late} under-runs in {len(times)} frames of {self._frame * 1e3:.2f} ms"
        )

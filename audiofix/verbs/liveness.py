"""How late a live stream is: what `--realtime` reports."""

from statistics import quantiles

_WARM_UP = 20
"""Blocks that are not counted: the first calls of a model allocate."""


class Clock:
    """How long computing took, frame by frame, and how long sound waited whatever it took."""

    def __init__(self, frame_seconds: float) -> None:
        """Expect a frame every `frame_seconds`."""
        self._frame = frame_seconds
        self._seen = 0
        self._times: list[float] = []
        self._waited = 0.0

    def note(self, seconds: float) -> None:
        """Remember how long a frame took."""
        self._seen += 1
        if self._seen > _WARM_UP:
            self._times.append(seconds)

    def wait(self, seconds: float) -> None:
        """Remember how much sound has come in that is not sent on; the most counts."""
        self._waited = max(self._waited, seconds)

    @property
    def under_runs(self) -> int:
        """Frames that took longer than they last."""
        return sum(seconds > self._frame for seconds in self._times)

    def summary(self) -> str:
        """Return one line for people."""
        if len(self._times) < 2:
            return "too short to measure its delay"
        cuts = quantiles(self._times, n=100)
        return (
            f"algorithmic delay {self._waited * 1e3:.2f} ms, computing a frame "
            f"{cuts[49] * 1e3:.2f} ms (median), {cuts[98] * 1e3:.2f} ms (p99), "
            f"{self.under_runs} under-runs in {len(self._times)} frames of "
            f"{self._frame * 1e3:.2f} ms"
        )

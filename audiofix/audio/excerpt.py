"""A part of a stream by its times: what comes before it and after it is left out."""


class Excerpt:
    """Tells which samples of chunks that come one behind the other belong to a part.

    Attributes:
        over: whether the end of the part was passed, so that nothing more is wanted.
    """

    def __init__(self, rate: int, start_seconds: float, duration_seconds: float | None) -> None:
        """Name the part.

        Args:
            rate: samples per second of the stream.
            start_seconds: where it begins.
            duration_seconds: how long it is; None for all the rest.
        """
        self._skip = round(start_seconds * rate)
        self._left = None if duration_seconds is None else round(duration_seconds * rate)
        self.over = self._left == 0

    def length(self, samples: int) -> int:
        """Return how many of a stream's samples belong to the part.

        >>> Excerpt(1000, 0.5, 2).length(2000)
        1500
        """
        rest = max(0, samples - self._skip)
        return rest if self._left is None else min(rest, self._left)

    def next(self, samples: int) -> slice:
        """Return which of the next so many samples belong to the part."""
        begin = min(self._skip, samples)
        self._skip -= begin
        end = samples if self._left is None else min(begin + self._left, samples)
        if self._left is not None:
            self._left -= end - begin
            self.over = self._left == 0
        return slice(begin, end)

"""Random clips at one rate, out of recordings at many."""

from collections.abc import Sequence

import numpy as np
import soxr
from audiofix.trainers.data.manifest import Recording

from audiofix.audio.format import Chunk
from audiofix.audio.source import open_source

_READ_SAMPLES = 1 << 16
_LOUDEST_GAIN_DB = 6.0
_QUIETEST_GAIN_DB = -12.0


def read_mono(recording: Recording, rate: int) -> Chunk:
    """Return the whole recording as `[channels, samples]` at `rate`."""
    with open_source(recording.path) as source:
        chunks = []
        while (chunk := source.read(_READ_SAMPLES)).shape[1]:
            chunks.append(chunk)
        samples = np.concatenate(chunks, axis=1)
        if source.format.rate != rate:
            samples = soxr.resample(samples.T, source.format.rate, rate, "VHQ").T
    return np.ascontiguousarray(samples, np.float32)


class Clips:
    """Draws clips of one length; long recordings are drawn more often, channels separately."""

    def __init__(self, sounds: Sequence[Chunk], samples: int, speeds: Sequence[float]) -> None:
        """Hold `sounds` `[channels, n]` in memory and draw `samples` per clip.

        Args:
            sounds: the recordings, all at one rate.
            samples: length of a clip.
            speeds: playback speeds to draw from; they shift pitch and formants together, so
                that one voice stands in for many.
        """
        self._rows = [row for sound in sounds for row in sound]
        lengths = np.array([row.size for row in self._rows], np.float64)
        self._shares = lengths / lengths.sum()
        self._samples = samples
        self._speeds = tuple(speeds)

    def draw(self, generator: np.random.Generator) -> Chunk:
        """Return one clip `[1, samples]` at a random place, speed and level."""
        row = self._rows[generator.choice(len(self._rows), p=self._shares)]
        speed = float(generator.choice(self._speeds))
        wanted = int(np.ceil(self._samples * speed)) + 64
        start = int(generator.integers(max(1, row.size - wanted + 1)))
        clip = row[start : start + wanted]
        if speed != 1.0:
            clip = soxr.resample(clip, speed, 1.0, "HQ")
        clip = np.pad(clip, (0, max(0, self._samples - clip.size)))[: self._samples]
        gain = 10 ** (generator.uniform(_QUIETEST_GAIN_DB, _LOUDEST_GAIN_DB) / 20)
        return np.ascontiguousarray(clip[None] * np.float32(gain))

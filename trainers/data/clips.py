"""Random clips at one rate, out of recordings at many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from audiofix.trainers.data import hdf5, tar
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.remembered import Remembered
from numpy.typing import NDArray

from audiofix.audio.format import Chunk, empty_chunk
from audiofix.audio.source import open_source
from audiofix.errors import InputError

_READ_SAMPLES = 1 << 16
_FULL_BAND_RATE = 44100
_GAINS_DB = (-12.0, 6.0)
"""Lowest and highest gain of a clip."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of a recording.

    Attributes:
        samples: `[1, samples]`.
        known: the part of the band, from 0 Hz upwards, of which the recording tells. What was
            recorded, or slowed down to, 44.1 kHz or more is taken at its word and has all.
    """

    samples: Chunk
    known: float


def known_share(own_rate: float, rate: int) -> float:
    """Return `Clip.known` of what was recorded at `own_rate`, at `rate`."""
    return 1.0 if own_rate >= _FULL_BAND_RATE else min(1.0, own_rate / rate)


def read_sound(recording: Recording, rate: int) -> Chunk:
    """Return the whole recording as `[channels, samples]` at `rate`."""
    return read_with_rate(recording, rate)[0]


def read_with_rate(recording: Recording, rate: int) -> tuple[Chunk, int]:
    """Return `read_sound`'s result and the recording's own rate."""
    samples, own_rate = read_own(recording)
    if own_rate != rate:
        samples = soxr.resample(samples.T, own_rate, rate, "VHQ").reshape(-1, len(samples)).T
    return np.ascontiguousarray(samples, np.float32), own_rate


def read_own(recording: Recording) -> tuple[Chunk, int]:
    """Return the whole recording as `[channels, samples]` at its own rate, and that rate."""
    if recording.path.suffix in hdf5.EXTENSIONS:
        return hdf5.read_window(recording), hdf5.RATE
    with tar.open_file(recording) if recording.span else open_source(recording.path) as source:
        own_rate = source.format.rate
        # A sample more, as durations are rounded.
        source.take(recording.start, (round(recording.duration * own_rate) + 1) / own_rate)
        chunks = [empty_chunk(source.format.channels)]
        while (chunk := source.read(_READ_SAMPLES)).shape[1]:
            chunks.append(chunk)
    return np.concatenate(chunks, axis=1), own_rate


def shares_of(recordings: Sequence[Recording], *, weighted: bool = False) -> NDArray[np.float64]:
    """Return each recording's share of their whole length, to draw longer ones more often.

    Args:
        recordings: the manifest's.
        weighted: whether their weights count.

    Raises:
        InputError: they have no length.
    """
    lengths = np.array([one.duration * (one.weight if weighted else 1) for one in recordings])
    if not (lengths >= 0).all() or not 0 < lengths.sum() < np.inf:
        raise InputError("data: recordings of no length: check the manifest's durations")
    shares: NDArray[np.float64] = lengths / lengths.sum()
    return shares


class Clips:
    """Draws clips of one length; long recordings are drawn more often."""

    def __init__(
        self,
        recordings: Sequence[Recording],
        rate: int,
        samples: int,
        speeds: Sequence[float] = (1.0,),
    ) -> None:
        """Draw `samples` per clip from recordings, which are read when they are drawn first.

        Args:
            recordings: where clips are cut from.
            rate: samples per second of the clips.
            samples: length of a clip.
            speeds: playback speeds to draw from; they shift pitch and formants together, so
                that one voice stands in for many.

        Raises:
            InputError: the recordings have no length.
        """
        self._recordings = list(recordings)
        self._shares = shares_of(recordings)
        self._rate = rate
        self._samples = samples
        self._speeds = tuple(speeds)
        self._read = Remembered(self._sound)

    def draw(self, generator: np.random.Generator) -> Clip:
        """Return one clip `[1, samples]` at a random channel, place, speed and level.

        A recording that is shorter than a clip is followed by silence.
        """
        sound, own_rate = self._read(int(generator.choice(len(self._recordings), p=self._shares)))
        row = int(generator.integers(len(sound)))
        rows = sound[row : row + 1]
        speed = float(generator.choice(self._speeds))
        wanted = int(np.ceil(self._samples * speed)) + 64
        start = int(generator.integers(max(1, rows.shape[1] - wanted + 1)))
        clip = rows[:, start : start + wanted]
        if speed != 1.0:
            clip = soxr.resample(clip.T, speed, 1.0, "HQ").reshape(-1, len(rows)).T
        clip = np.pad(clip, [(0, 0), (0, max(0, self._samples - clip.shape[1]))])
        gain = 10 ** (generator.uniform(*_GAINS_DB) / 20)
        known = known_share(own_rate * speed, self._rate)
        return Clip(np.ascontiguousarray(clip[:, : self._samples] * np.float32(gain)), known)

    def _sound(self, place: int) -> tuple[Chunk, int]:
        return read_with_rate(self._recordings[place], self._rate)

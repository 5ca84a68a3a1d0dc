"""What is done to a recording before a model is to restore it: one value for each kind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.audio.lossy import Coding, coded
from audiofix.audio.source import Source, open_source, raise_fault, read_whole
from audiofix.backends.tasks import Gaps
from audiofix.dsp.rolloff import BandwidthMeter
from audiofix.errors import InputError, UsageError
from audiofix.metrics.alignment import advanced, delay
from audiofix.metrics.gaps import Spans, rms
from audiofix.streaming.resample import Resample

BLOCK_SECONDS = 0.25

_MOST_DELAY_SECONDS = 0.05
"""How much later than its original a coded recording may be."""

_SILENCE = 1e-3
"""RMS of the reference inside a gap below which there is nothing to restore."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A recording and what a damage left of it.

    Attributes:
        clean: format of the reference.
        given: format of what is left.
        blocks: chunks of both, which need not be of one length; can be read once.
        edge_hz: where the band of what is left ends; None where that is not asked.
        gaps: where samples are missing, where that is the damage.
    """

    clean: AudioFormat
    given: AudioFormat
    blocks: Iterable[tuple[Chunk, Chunk]]
    edge_hz: float | None = None
    gaps: Spans | None = None

    @property
    def gaps_seconds(self) -> Gaps | None:
        """The gaps as a request has them."""
        rate = self.given.rate
        return self.gaps and tuple((start / rate, end / rate) for start, end in self.gaps)


class Damage(Protocol):
    """A way to damage recordings."""

    @property
    def plain(self) -> str:
        """What is left, at the reference's rate, is measured under this name."""

    @property
    def input_rate(self) -> int | None:
        """Samples per second of what is left; None where the rate stays."""

    @property
    def label(self) -> str:
        """What tables say of it besides the rate."""

    def of(self, source: Source) -> Damaged:
        """Damage a recording.

        Raises:
            InputError: it cannot be read, or is none that can be damaged so.
        """


@dataclass(frozen=True, slots=True)
class Downsampled:
    """Brought to the result's rate, the reference; then down by soxr, and stored as 16 bits.

    Blocks are read as they are asked for. Where rounding makes the two differ by a sample at the
    end, the shorter one counts.
    """

    input_rate: int
    result_rate: int
    plain: ClassVar[str] = "sinc"
    label: ClassVar[str] = ""

    def of(self, source: Source) -> Damaged:
        """Damage a recording; see `Damage`."""
        up = Resample(source.format, self.result_rate)
        down = Resample(up.result, self.input_rate)
        blocks = self._blocks(source, up, down)
        return Damaged(up.result, down.result, blocks, self.input_rate / 2)

    def _blocks(
        self, source: Source, up: Resample, down: Resample
    ) -> Iterator[tuple[Chunk, Chunk]]:
        block = max(1, round(source.format.rate * BLOCK_SECONDS))
        while (chunk := source.read(block)).shape[1]:
            clean = up.push(chunk)
            yield clean, in_16_bits(down.push(clean))
        raise_fault(source)
        clean = up.flush()
        yield clean, in_16_bits(np.concatenate([down.push(clean), down.flush()], axis=1))


@dataclass(frozen=True, slots=True)
class Coded:
    """Through a lossy codec and back, in time with the recording.

    More than two channels are coded two by two. The recording is held in memory.
    """

    coding: Coding
    plain: ClassVar[str] = "coded"
    input_rate: ClassVar[None] = None

    @property
    def label(self) -> str:
        """Codec and bit rate."""
        return str(self.coding)

    def of(self, source: Source) -> Damaged:
        """Damage a recording; see `Damage`.

        Raises:
            UsageError: the codec is not to be had.
        """
        clean = read_whole(source)
        pairs = [clean[first : first + 2] for first in range(0, len(clean), 2)]
        given = [coded(as_chunk(pair), source.format.rate, self.coding) for pair in pairs]
        return _banded(source.format, clean, np.concatenate(given))


@dataclass(frozen=True, slots=True)
class CodedBefore:
    """Coded by somebody else, who left both files.

    What was coded is brought in time with its original, by 50 ms at most, and to its length.
    """

    path: Path
    plain: ClassVar[str] = "coded"
    label: ClassVar[str] = "pair"
    input_rate: ClassVar[None] = None

    def of(self, source: Source) -> Damaged:
        """Return the original `source` and the coded recording; see `Damage`.

        Raises:
            InputError: one cannot be read, or their rates or channels differ.
        """
        audio = source.format
        with open_source(self.path) as damaged:
            if damaged.format != audio:
                raise InputError(
                    f"{self.path}: {damaged.format.rate} Hz, {damaged.format.channels} channels, "
                    f"its original {source.name} {audio.rate} Hz, {audio.channels}: compare like "
                    "with like"
                )
            clean, sound = read_whole(source), read_whole(damaged)
        missing = max(0, clean.shape[1] - sound.shape[1])
        sound = np.pad(sound, ((0, 0), (0, missing)))[:, : clean.shape[1]]
        late = delay(sound, clean, round(_MOST_DELAY_SECONDS * audio.rate))
        return _banded(audio, clean, as_chunk(advanced(sound, late)))


@dataclass(frozen=True, slots=True)
class Gapped:
    """Gaps of one length, in the middle of every so many seconds.

    Those in which the recording is silent are left out. The recording is held in memory.

    Attributes:
        length: of a gap in seconds.
        every: seconds from one gap to the next.
    """

    length: float
    every: float
    plain: ClassVar[str] = "zeros"
    label: ClassVar[str] = ""
    input_rate: ClassVar[None] = None

    @classmethod
    def parse(cls, text: str) -> "Gapped":
        """Return the gaps that `LENGTH:EVERY` in seconds says.

        Raises:
            UsageError: it says something else.

        >>> str(Gapped.parse("0.15:2.0"))
        '0.15:2'
        """
        length, _, every = text.partition(":")
        try:
            found = cls(float(length), float(every))
        except ValueError:
            found = cls(0, 0)
        if not 0 < found.length < found.every:
            raise UsageError(f"--gaps {text}: not LENGTH:EVERY in seconds: write 0.15:5")
        return found

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        return f"{self.length:g}:{self.every:g}"

    def gaps(self, samples: int, rate: int) -> Gaps:
        """Return the gaps of a recording; one in the middle where it is shorter than `every`."""
        count = int(samples / rate / self.every)
        if not count:
            middle = samples / rate / 2
            return ((middle - self.length / 2, middle + self.length / 2),)
        offset = (self.every - self.length) / 2
        starts = [place * self.every + offset for place in range(count)]
        return tuple((start, start + self.length) for start in starts)

    def of(self, source: Source) -> Damaged:
        """Damage a recording; see `Damage`.

        Raises:
            InputError: it is silent or too short for a gap.
        """
        clean, rate = read_whole(source), source.format.rate
        samples = clean.shape[1]
        spans = [(round(a * rate), round(b * rate)) for a, b in self.gaps(samples, rate)]
        spans = [
            (a, b) for a, b in spans if a > 0 and b < samples and rms(clean[:, a:b]) > _SILENCE
        ]
        if not spans:
            name = source.name
            raise InputError(f"{name}: too short or too quiet for such gaps: leave it out")
        given = clean.copy()
        for start, end in spans:
            given[:, start:end] = 0
        return Damaged(source.format, source.format, [(clean, given)], gaps=tuple(spans))


def in_16_bits(samples: Chunk) -> Chunk:
    """Return samples as a file of 16 bits would hold them."""
    return as_chunk(np.rint(samples * 2**15).clip(-(2**15), 2**15 - 1) / 2**15)


def _banded(audio: AudioFormat, clean: Chunk, given: Chunk) -> Damaged:
    """Return a coded recording beside its original; where its band ends is found."""
    meter = BandwidthMeter(audio.rate)
    meter.push(given)
    return Damaged(audio, audio, [(clean, given)], meter.bandwidth_hz())

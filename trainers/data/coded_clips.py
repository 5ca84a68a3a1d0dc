"""Clips before and after a lossy codec, as Apollo is trained on: codec and bit rate drawn anew.

A clip is coded with a margin around it, so that no codec's start-up or end is in it. Clips are
taken where a recording sounds, and half of them are mixed from several recordings, as published
(Li and Luo, ICASSP 2025; JusperLee/Apollo).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from audiofix.trainers.data.activity import active_windows
from audiofix.trainers.data.clips import read_sound, shares_of
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.remembered import Remembered

from audiofix.audio.format import Chunk, as_chunk
from audiofix.audio.lossy import coded, parse_coding
from audiofix.errors import InputError, SettingsError

_ACTIVITY_SECONDS = 6
_MARGIN_SAMPLES = 4608
"""Coded around a clip and cut away: four MP3 frames, more than any codec's delay."""

_TRIES = 50


@dataclass(frozen=True, slots=True)
class CodedClipSettings:
    """How clips are cut, mixed and coded.

    Attributes:
        rate: samples per second.
        samples: of a clip (published: 3 s).
        channels: of a clip, 1 or 2; with 1, a channel of what was coded in stereo.
        codings: codecs and bit rates to draw from, as `mp3:64k` (see `audio.lossy`).
        uncoded_share: of the clips that pass no codec (published: 0).
        mixed_share: of the clips that are a sum of recordings.
        most_mixed: the most recordings of a sum, 1 at least.
        mixed_gain_db: their gains are whole numbers of dB between this and its negative.
        quietest_db: pairs are scaled to a joint peak between this and 0 dB (published: 0).
        active: whether clips come from where a recording sounds only.
    """

    rate: int = 44100
    samples: int = 132300
    channels: int = 2
    codings: tuple[str, ...] = ("mp3:24k", "mp3:32k", "mp3:48k", "mp3:64k", "mp3:96k", "mp3:128k")
    uncoded_share: float = 0.0
    mixed_share: float = 0.5
    most_mixed: int = 8
    mixed_gain_db: int = 10
    quietest_db: float = 0.0
    active: bool = True

    def __post_init__(self) -> None:
        """Refuse what no clip can be.

        Raises:
            SettingsError: a number is out of its range.
            UsageError: a coding is unknown.
        """
        if self.channels not in (1, 2):
            raise SettingsError(f"data.channels: {self.channels}: must be 1 or 2")
        if not self.codings:
            raise SettingsError("data.codings: none: name one at least")
        for word in self.codings:
            parse_coding(word)


class CodedClips:
    """Draws pairs of clips, original and coded."""

    def __init__(self, recordings: Sequence[Recording], settings: CodedClipSettings) -> None:
        """Draw from recordings, each read when it is drawn first; longer ones more often.

        Raises:
            InputError: the recordings have no length.
        """
        self._recordings = list(recordings)
        self._shares = shares_of(recordings)
        self._settings = settings
        self._codings = tuple(map(parse_coding, settings.codings))
        self._read = Remembered(self._sounding)

    def draw(self, generator: np.random.Generator) -> tuple[Chunk, Chunk]:
        """Return a clip and its coded version, `[channels, samples]`, at a joint peak."""
        settings = self._settings
        original = self._mixture(generator)
        if generator.random() < settings.uncoded_share:
            decoded = original
        else:
            peak = max(1.0, float(np.abs(original).max()))  # no encoder takes more than full scale
            coding = self._codings[generator.integers(len(self._codings))]
            decoded = peak * coded(as_chunk(original / peak), settings.rate, coding)
        inner = slice(_MARGIN_SAMPLES, _MARGIN_SAMPLES + settings.samples)
        original, decoded = original[:, inner], decoded[:, inner]
        if settings.channels == 1:
            row = generator.integers(len(original))
            original, decoded = original[row : row + 1], decoded[row : row + 1]
        return scaled_pair(original, decoded, generator.uniform(settings.quietest_db, 0))

    def _mixture(self, generator: np.random.Generator) -> Chunk:
        settings = self._settings
        if generator.random() >= settings.mixed_share:
            return self._piece(generator)
        total = self._piece(generator) * 0
        for _ in range(generator.integers(1, settings.most_mixed + 1)):
            limit = settings.mixed_gain_db
            gain = 10 ** (generator.integers(-limit, limit + 1) / 20)
            total += np.float32(gain) * self._piece(generator)
        return total

    def _piece(self, generator: np.random.Generator) -> Chunk:
        """Return stereo sound of a clip and its margins."""
        wanted = self._settings.samples + 2 * _MARGIN_SAMPLES
        for _ in range(_TRIES):
            place = int(generator.choice(len(self._recordings), p=self._shares))
            sound, starts, window = self._read(place)
            if starts:
                start = int(generator.choice(starts))
                start += int(generator.integers(max(1, window - wanted + 1)))
                piece = sound[:, start : start + wanted]
                piece = np.pad(piece, ((0, 0), (0, wanted - piece.shape[1])))
                return as_chunk(np.broadcast_to(piece, (2, wanted)))
        raise InputError("data: recordings are silent: name others, or set data.active=false")

    def _sounding(self, place: int) -> tuple[Chunk, list[int], int]:
        """Return a recording, where in it windows may start, and their length in samples."""
        settings = self._settings
        sound = read_sound(self._recordings[place], settings.rate)[:2]
        window = _ACTIVITY_SECONDS * settings.rate
        if not settings.active or sound.shape[1] < 2 * window:
            return sound, [0] if sound.any() else [], sound.shape[1]
        return sound, active_windows(sound, settings.rate, seconds=_ACTIVITY_SECONDS), window


def scaled_pair(original: Chunk, decoded: Chunk, peak_db: float) -> tuple[Chunk, Chunk]:
    """Return both with the same gain, the larger of their peaks at `peak_db`; silence stays."""
    peak = max(float(np.abs(original).max()), float(np.abs(decoded).max()))
    gain = np.float32(10 ** (peak_db / 20) / peak if peak else 1.0)
    return as_chunk(gain * original), as_chunk(gain * decoded)

"""Features of words, as generators learn them: read, trimmed, sped up and brought to one length."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import soxr
import torch
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.words import (
    DIGITS,
    FEATURE_ENDINGS,
    label_of,
    read_features,
    trimmed,
)
from audiofix.trainers.recipes.asgan.features import SILENCE, fit_frames
from numpy.typing import NDArray

from audiofix.backends.asgan.features import Features, MelConfig
from audiofix.errors import InputError

_REMEMBERED_SPECTRA = 40_000
_FADE_SECONDS = 0.01
_SPEED_STEP = 0.05
"""Speeds are drawn in steps, so that spectra can be remembered."""


@dataclass(frozen=True, slots=True)
class WordSettings:
    """What is learned.

    Attributes:
        words: that are used, and their labels; none for all.
        voices: names of speakers, parts of the files' own names as in `3_theo_7`; none for no use
            of them.
        features: `mel` spectra of sound, or `hubert`: files of features, as HuBERT makes them.
        trim_db: cut silence around a word that is so far below it, scale it to `peak` and place it
            behind `lead_seconds`; 0 leaves words as they are (published).
        lead_seconds: of silence before a trimmed word.
        peak: of a trimmed word.
        speeds: lowest and highest playback speed; each draw of a word has one between them.
    """

    words: tuple[str, ...] = DIGITS
    voices: tuple[str, ...] = ()
    features: Literal["mel", "hubert"] = "mel"
    trim_db: float = 0.0
    lead_seconds: float = 0.064
    peak: float = 0.7
    speeds: tuple[float, ...] = (1.0, 1.0)


class WordFeatures:
    """Draws words and their labels."""

    def __init__(
        self,
        recordings: Sequence[Recording],
        settings: WordSettings,
        mel: MelConfig,
        frames: int,
    ) -> None:
        """Draw from recordings, which are read when they are drawn first.

        Args:
            recordings: the words.
            settings: what is done to them.
            mel: the spectrum.
            frames: of a result.

        Raises:
            InputError: the files hold sound where features are wanted.
        """
        self._recordings, self._settings = recordings, settings
        self._mel, self._frames = mel, frames
        if settings.features == "hubert" and recordings[0].path.suffix not in FEATURE_ENDINGS:
            raise InputError(
                f"{recordings[0].path}: is sound: data.features = hubert needs files of features"
            )
        self._spectrum = lru_cache(_REMEMBERED_SPECTRA)(self._analysed)

    def draw(self, generator: np.random.Generator) -> tuple[Features, int]:
        """Return one word's features `[frames, dimensions]`, and its label, 0 if it has none."""
        recording = self._recordings[int(generator.integers(len(self._recordings)))]
        return self.features(recording, generator), self.label(recording)

    def label(self, recording: Recording) -> int:
        """Return a word's label, 0 if it has none."""
        return label_of(recording.path, self._settings.words) or 0

    def voice(self, recording: Recording) -> int:
        """Return the number of a word's voice, 0 if it has none."""
        parts = recording.path.stem.lower().split("_")
        return next((n for n, name in enumerate(self._settings.voices) if name in parts), 0)

    def features(self, recording: Recording, generator: np.random.Generator) -> Features:
        """Return one word's features; the generator draws its speed and place."""
        kind, path = self._settings.features, recording.path
        if path.suffix in FEATURE_ENDINGS:
            return fit_frames(read_features(path), self._frames, SILENCE[kind], generator)
        found = self._spectrum(recording, self._speed(generator))
        if self._settings.trim_db:
            return found[: self._frames]
        silence = (SILENCE["mel"] - self._mel.offset) / self._mel.scale
        return fit_frames(found, self._frames, silence, generator)

    def _speed(self, generator: np.random.Generator) -> float:
        low, high = min(self._settings.speeds), max(self._settings.speeds)
        if low == high:
            return 1.0
        return round(generator.uniform(low, high) / _SPEED_STEP) * _SPEED_STEP

    def _analysed(self, recording: Recording, speed: float) -> Features:
        word = self._read_sound(recording)
        if speed != 1.0:
            word = np.asarray(soxr.resample(word, speed, 1.0))
        return self._mel.analyse(torch.from_numpy(self._placed(word))[None])[0].numpy()

    def _placed(self, word: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples that are analysed, at the spectrum's rate."""
        settings, rate = self._settings, self._mel.rate
        if not settings.trim_db:
            return word
        fade = np.linspace(0, 1, round(_FADE_SECONDS * rate), dtype=np.float32)[: len(word)]
        word = word * np.float32(settings.peak / max(np.abs(word).max(initial=0), 1e-6))
        word[: len(fade)] *= fade
        word[len(word) - len(fade) :] *= fade[::-1]
        whole = np.zeros(self._frames * self._mel.hop, np.float32)
        start = min(round(settings.lead_seconds * rate), len(whole) - 1)
        word = word[: len(whole) - start]
        whole[start : start + len(word)] = word
        return whole

    def _read_sound(self, recording: Recording) -> NDArray[np.float32]:
        sound, rate = read_own(recording)
        word: NDArray[np.float32] = sound[0]
        if self._settings.trim_db:
            word = trimmed(word, rate, self._settings.trim_db)
        if rate != self._mel.rate:
            word = soxr.resample(word, rate, self._mel.rate)
        return np.ascontiguousarray(word, np.float32)

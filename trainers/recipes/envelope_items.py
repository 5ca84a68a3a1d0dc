"""What the envelope network is trained on: clips as levels of bands, changed as they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from audiofix.trainers.data.clips import read_own, shares_of
from audiofix.trainers.data.coloration import Noise, Tilt, tones
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.remembered import Remembered
from audiofix.trainers.recipe import Item
from audiofix.trainers.recipes import envelope_levels as on_levels
from audiofix.trainers.recipes.envelope_settings import Chain, DataSettings
from numpy.typing import NDArray

from audiofix.backends.envelope.bands import FRAMES_PER_SECOND
from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.filling import KEPT_SHARE

Floats = NDArray[np.float32]

_TONES_RATE = 48000
_NEAR_NYQUIST = 0.955
"""Share of a recording's band above which its own converter or resampler is heard."""

LEAST_BAND_HZ = 900.0
"""What a recording must know above the input's band."""

_FULL_BAND_RATE = 44100
_DRAWS = 50

_LOUDEST = (-4.0, -0.8)
"""log10 power of the clips' loudest frame, whatever the recording's own: loudness must not tell
speech from music."""

_SECOND_BELOW = 2.0
"""The most log10 power by which the second of two mixed clips is weaker than the first."""

_FLOOR_HZ = (5000.0, 9000.0)
"""Where a recording's floor is measured."""

_SIXTEEN_BITS_DB = float(10 * np.log10(2.0**-30 / 12))
"""Of what rounding adds."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Levels `[frames, 2, bands]` of a clip, and what is known of it.

    Attributes:
        known_hz: up to where its levels are to be believed.
        empty_hz: from where on it is known to be empty.
        chain: what it was passed through.
    """

    levels: Floats
    known_hz: float
    empty_hz: float
    chain: Chain


def known_hz(recording: Recording, rate: int, top_hz: float, speed: float = 1.0) -> float:
    """Return up to where a recording of this rate, played at this speed, is known."""
    share = 1.0 if rate == 2 * top_hz and speed >= 1 else _NEAR_NYQUIST
    return min(min(recording.band_hz, share * rate / 2) * speed, top_hz)


def told(known: float, empty_hz: float, config: EnvelopeConfig) -> Item:
    """Return which bands are known, and which are known to be empty."""
    bands = np.arange(config.bands)
    return {
        "known": (bands + 1) * config.band_hz <= known,
        "empty": bands * config.band_hz >= empty_hz,
    }


class Clips:
    """Draws items for the network; long recordings are drawn more often."""

    def __init__(
        self, recordings: Sequence[Recording], data: DataSettings, config: EnvelopeConfig
    ) -> None:
        """Draw from recordings, which are read when they are drawn first.

        Raises:
            InputError: the recordings have no length.
        """
        self._recordings, self._data, self._config = recordings, data, config
        self._shares = shares_of(recordings, weighted=True)
        mixing = [data.chains.get(one.kind, Chain()).mixed > 0 for one in recordings]
        mixed = self._shares * mixing
        self._mixed_shares = mixed / max(mixed.sum(), 1e-9)
        self._levels = Remembered(self._read)
        self._rates: dict[int, int] = {}
        self._hertz = ((np.arange(config.bands) + 0.5) * config.band_hz).astype(np.float32)

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip's analysis, the first missing band, and which bands are known."""
        config, data = self._config, self._data
        before = int(generator.integers(data.before + 1)) if generator.random() < 0.5 else 0
        frames = before + data.frames
        clip = self._tones(frames, generator) if generator.random() < data.tones else None
        clip = clip or self._changed(self._clip(frames, generator), generator)
        statistics, heard = on_levels.statistics(clip.levels)
        statistics, heard = statistics[before:], heard[before:]
        rate = self._input_rate(generator, clip.known_hz)
        return {
            "statistics": statistics,
            "heard": heard,
            "edge": np.array(max(1, int(KEPT_SHARE * rate / 2 / config.band_hz))),
            **told(clip.known_hz, clip.empty_hz, config),
            "voice": np.array(clip.chain.voice),
        }

    def _read(self, place: int) -> NDArray[np.float16]:
        sound, self._rates[place] = read_own(self._recordings[place])
        # Of several channels one, always the same: all are analysed once.
        row = sound[place % len(sound)]
        return on_levels.levels_of(
            row, self._rates[place], self._config.bands, self._config.band_hz
        )

    def _tones(self, frames: int, generator: np.random.Generator) -> Clip:
        config = self._config
        sound = tones(frames * _TONES_RATE // FRAMES_PER_SECOND, _TONES_RATE, generator)
        levels = on_levels.levels_of(sound, _TONES_RATE, config.bands, config.band_hz)
        whole = on_levels.excerpt(levels, 0, frames, 1.0)
        return Clip(whole, config.top_hz, config.top_hz, Chain())

    def _clip(self, frames: int, generator: np.random.Generator) -> Clip:
        """Return one recording's clip, or two at once."""
        data = self._data
        place = int(generator.choice(len(self._recordings), p=self._shares))
        low, high = data.speeds
        own = generator.random() < data.own_speed
        speed = 1.0 if own else float(np.exp(generator.uniform(np.log(low), np.log(high))))
        first = self._excerpt(place, frames, speed, generator)
        if generator.random() >= first.chain.mixed:
            return first
        other = int(generator.choice(len(self._recordings), p=self._mixed_shares))
        second = self._excerpt(other, frames, speed, generator)
        below = on_levels.loudest(first.levels) - on_levels.loudest(second.levels)
        below -= generator.uniform(0, _SECOND_BELOW)
        return Clip(
            on_levels.mixed(first.levels, second.levels + np.float32(below)),
            min(first.known_hz, second.known_hz),
            max(first.empty_hz, second.empty_hz),
            first.chain,
        )

    def _excerpt(
        self, place: int, frames: int, speed: float, generator: np.random.Generator
    ) -> Clip:
        recording, top_hz = self._recordings[place], self._config.top_hz
        levels = self._levels(place)
        last = len(levels) - int(frames * speed)
        start = int(generator.integers(max(1, last)))
        chain = self._data.chains.get(recording.kind, Chain())
        rate = self._rates[place]
        ends = chain.ends and rate >= _FULL_BAND_RATE and speed == 1
        return Clip(
            on_levels.excerpt(levels, start, frames, speed),
            known_hz(recording, rate, top_hz, speed),
            min(rate / 2, top_hz) if ends else top_hz,
            chain,
        )

    def _changed(self, clip: Clip, generator: np.random.Generator) -> Clip:
        """Return a clip as another microphone would have it, at another level."""
        chain, frames, bands = clip.chain, len(clip.levels), self._config.bands
        tilts = (
            Tilt(_drawn(chain.treble_db, generator), 8000, 24000),
            Tilt(_drawn(chain.tilt_db, generator), 1000, 16000),
        )
        curve = on_levels.random_walk(bands, generator.uniform(0, chain.walk_db / 10), generator)
        for tilt in tilts:
            curve += (tilt.gain_db(self._hertz) / 10).astype(np.float32)
        gain = generator.uniform(*_LOUDEST) - on_levels.loudest(clip.levels)
        levels = clip.levels + curve + np.float32(gain)
        for noise in self._noises(levels, chain, generator):
            power = (2 * np.log10(noise.amplitude(self._hertz))).astype(np.float32)
            # A recording's floor ends with its rate.
            power[self._hertz >= clip.empty_hz] = on_levels.NOTHING
            levels = on_levels.mixed(levels, on_levels.noise(power, frames, generator))
        if generator.random() < 0.04:
            levels[: generator.integers(frames // 2)] = on_levels.NOTHING
        return replace(clip, levels=levels)

    def _noises(
        self, levels: Floats, chain: Chain, generator: np.random.Generator
    ) -> Sequence[Noise]:
        found = [Noise(_SIXTEEN_BITS_DB, 0.0)] if generator.random() < 0.5 else []
        if generator.random() < chain.rising_floor:
            low, high = (int(hertz / self._config.band_hz) for hertz in _FLOOR_HZ)
            own_db = 10 * on_levels.floor(levels, low, high)
            found.append(Noise(own_db + generator.uniform(3, 22), generator.uniform(0.2, 1.8)))
        if generator.random() < chain.floor:
            found.append(Noise(_drawn(chain.floor_db, generator), generator.uniform(-0.4, 0.6)))
        return found

    def _input_rate(self, generator: np.random.Generator, known: float) -> float:
        data = self._data
        for _ in range(_DRAWS):
            rate = float(generator.uniform(data.lowest_rate, data.highest_rate))
            if generator.random() < 2 / 3:
                rate = float(generator.choice(data.rates))
            if rate / 2 < known - LEAST_BAND_HZ:
                return rate
        return float(data.lowest_rate)


def _drawn(span: tuple[float, ...], generator: np.random.Generator) -> float:
    low, high = span
    return generator.uniform(low, high)

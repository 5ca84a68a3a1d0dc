"""One channel's missing band, frame by frame: levels, network, noise of that level."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft
from scipy.ndimage import uniform_filter1d

from audiofix.backends.envelope.bands import (
    FRAMES_PER_SECOND,
    SILENCE,
    FrameGrid,
    RunningLevels,
    statistics_of,
)
from audiofix.backends.envelope.excitation import rhythmic_noise
from audiofix.backends.envelope.network import EnvelopeNetwork, highest_level
from audiofix.backends.placement import Placement
from audiofix.dsp.smoothing import smoothed
from audiofix.nn.state import StreamState

Floats = NDArray[np.float32]
Spectra = NDArray[np.complex64]

KEPT_SHARE = 0.9
"""Part of the input's band that no resampler's slope touches."""

_FLAT_SHARE = 0.93
"""Of the input's band: up to here a slope takes little, so that the level there can be trusted."""

_JOINED_HZ = 2000.0
"""Over which the predicted envelope leaves the level at the end of the kept band: no step."""

_LARGEST_STEP = (-2.0, 1.0)
"""log10 power that the envelope is lowered or raised by; little, as a tone there is no level."""

_CAUTIOUS_HZ = (7000.0, 8000.0)
_ACTIVE_BANDS = 5
_CAUTION_RISES_HZ = 300.0
_NARROW_HZ = 4000.0
"""Where a guess goes wrong up to 8 kHz, too much is heard as lisping and hiss, too little hardly,
which PESQ confirms."""

_SLOPE_SECONDS = 1.0
"""Over which the slope at the end of the input's band is measured."""

_DEEPEST_SLOPE = 3.0
"""log10 power by which a slope is undone; what is deeper is replaced by noise."""

_SMOOTHED_BINS = 5
_AUDIBLE = 0.3
"""log10 power above digital silence: quieter frames stay as they are."""


class Filling:
    """What one channel of one stream adds to its input."""

    def __init__(
        self, network: EnvelopeNetwork, placement: Placement, grid: FrameGrid, seed: int
    ) -> None:
        """Start a stream.

        Args:
            network: in eval mode, its weights packed, on the placement's device.
            placement: where it computes.
            grid: of the frames.
            seed: of the noise.
        """
        self._network, self._placement, self._grid = network, placement, grid
        self._random = np.random.default_rng(seed)
        self._noise = self._random.standard_normal(grid.size).astype(np.float32)
        self._levels = RunningLevels(network.config.bands)
        self._state = StreamState(time_major=True)
        bins, bands = len(grid.frequencies), network.config.bands
        lookahead = network.config.lookahead
        self._spectra = np.zeros((lookahead, bins), np.complex64)
        self._level = np.full((lookahead, bands), SILENCE, np.float32)
        self._active = np.zeros(lookahead, np.float32)
        self._lost, self._counted = np.zeros(bins), np.zeros(())
        self._places = band_places(grid.frequencies, network.config.bands, network.config.band_hz)
        self._decay = np.exp(-1 / (_SLOPE_SECONDS * FRAMES_PER_SECOND))

    def added(self, frames: Floats, cutoff_hz: float, highest_hz: float) -> Floats:
        """Return what is added to the frames `lookahead` earlier.

        Args:
            frames: the next ones of the input, `[frames, size]`.
            cutoff_hz: where the input's band ends.
            highest_hz: from where on there are only images, which are removed. What is between is
                kept where it is louder than what would be put there: the end may be found wrong.

        Returns:
            Windowed once, `[frames, size]`.
        """
        config, count = self._network.config, len(frames)
        new = self._grid.spectra(frames)
        edge = max(1, min(config.bands, int(KEPT_SHARE * cutoff_hz / config.band_hz)))
        statistics, heard = statistics_of(
            new, self._grid, self._levels, config.bands, config.band_hz
        )
        (predicted, voice), level = self._predicted(statistics, heard, edge), statistics[:, 0]
        spectra = np.concatenate([self._spectra, new])
        level = np.concatenate([self._level, level])
        active = np.concatenate([self._active, _activity(statistics, edge)])
        self._spectra, self._level, self._active = spectra[count:], level[count:], active[count:]
        spectra, level, active = spectra[:count], level[:count], active[:count] * voice
        highest = highest_level(torch.from_numpy(level)[None], torch.full((1, count), edge))
        predicted = np.minimum(predicted, highest[0].numpy())
        predicted[level[:, :edge].max(axis=1) < SILENCE + _AUDIBLE] = SILENCE
        envelope = np.where(np.arange(config.bands) < edge, level, predicted)
        added = self._replaced(spectra, envelope, active, cutoff_hz, highest_hz) - spectra
        added[:, self._grid.frequencies < KEPT_SHARE * cutoff_hz] = 0
        scale = np.sqrt(np.square(self._grid.window).sum())
        result: Floats = irfft(added * np.float32(scale), self._grid.size, axis=1)
        return result

    def _predicted(self, statistics: Floats, heard: Floats, edge: int) -> tuple[Floats, Floats]:
        device = self._placement.device
        with torch.inference_mode():
            levels, voice = self._network(
                torch.from_numpy(statistics)[None].to(device),
                torch.from_numpy(heard)[None].to(device),
                torch.full((1, len(heard)), edge, device=device),
                self._state,
            )
        return levels[0].float().cpu().numpy(), voice[0].float().cpu().numpy()

    def _noise_frames(self, count: int) -> Floats:
        size, hop = self._grid.size, self._grid.hop
        new = self._random.standard_normal(count * hop).astype(np.float32)
        noise = np.concatenate([self._noise, new])
        self._noise = noise[count * hop :]
        return np.lib.stride_tricks.sliding_window_view(noise, size)[: count * hop : hop]

    def _replaced(
        self,
        spectra: Spectra,
        envelope: Floats,
        active: Floats,
        cutoff_hz: float,
        highest_hz: float,
    ) -> Spectra:
        """Return the spectra that have this envelope from the end of the kept band on.

        On the slope at the end of the input's band its own sound is raised to the envelope; where
        the slope has taken too much of it, and above, there is noise.
        """
        frequencies, config = self._grid.frequencies, self._network.config
        start_hz = KEPT_SHARE * cutoff_hz
        noise = self._noise_frames(len(spectra))
        made = rhythmic_noise(noise, spectra, self._grid, start_hz)
        wanted = interpolated(envelope, *self._places)
        slope = slice(*np.searchsorted(frequencies, (start_hz, highest_hz)))
        power = np.abs(spectra[:, slope]) ** 2
        level = uniform_filter1d(
            np.log10(power + np.float32(10**SILENCE)), _SMOOTHED_BINS, axis=1, mode="nearest"
        )
        flat = slice(slope.start, int(np.searchsorted(frequencies, _FLAT_SHARE * cutoff_hz)) + 1)
        step = np.median(level[:, : flat.stop - flat.start] - wanted[:, flat], axis=1)
        fade = np.clip(1 - (frequencies - cutoff_hz) / _JOINED_HZ, 0, 1)
        wanted[:, slope.start :] += np.clip(step, *_LARGEST_STEP)[:, None] * fade[slope.start :]
        wanted -= active[:, None] * config.caution * caution(frequencies, cutoff_hz)
        wanted[:, frequencies >= config.top_hz] = SILENCE
        made *= np.sqrt(np.maximum(10**wanted - np.float32(10**SILENCE), 0))
        usual, loss = self._loss(wanted[:, slope] - level, slope)
        share = np.clip(_DEEPEST_SLOPE - np.minimum(usual, loss), 0, 1)
        made[:, slope] *= np.sqrt(1 - share**2)
        made[:, slope] += spectra[:, slope] * (share * 10 ** (loss / 2))
        return made

    def _loss(self, lost: Floats, place: slice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return log10 of the power that the slope at the band's end takes: usually, and now.

        Args:
            lost: what is wanted above what is there, `[frames, bins]`.
            place: which bins they are.
        """
        sums, self._lost[place] = smoothed(lost, self._decay, self._lost[place])
        counts, self._counted = smoothed(np.ones(len(lost)), self._decay, self._counted)
        usual = np.maximum.accumulate(np.maximum(0, sums / counts[:, None]), axis=1)
        return usual, np.clip(lost, 0, 2 * usual)


def _activity(statistics: Floats, edge: int) -> Floats:
    """Return how far each frame stands above its floor below the edge, 0 to 1, `[frames]`.

    1 is 10 dB and more: somebody speaks. At 0 there is only the floor, which has no step.
    """
    near = slice(max(0, edge - _ACTIVE_BANDS), edge)
    above: Floats = (statistics[:, 0, near] - statistics[:, 1, near]).mean(axis=1)
    return np.clip(above, 0, 1)


def caution(frequencies: Floats, cutoff_hz: float) -> Floats:
    """Return how much caution each frequency needs, 0 to 1; see `EnvelopeConfig.caution`.

    All of it for a band that ends at 4 kHz; the more is there, the surer is the guess.
    """
    rise = (frequencies - cutoff_hz) / _CAUTION_RISES_HZ
    fall = (_CAUTIOUS_HZ[1] - frequencies) / (_CAUTIOUS_HZ[1] - _CAUTIOUS_HZ[0])
    needed = np.clip((_CAUTIOUS_HZ[1] - cutoff_hz) / _NARROW_HZ, 0, 1)
    share: Floats = (needed * np.clip(np.minimum(rise, fall), 0, 1)).astype(np.float32)
    return share


def band_places(
    frequencies: Floats, bands: int, band_hz: float
) -> tuple[NDArray[np.int64], Floats]:
    """Return the band whose middle is at or below each bin, and how far the bin is from it, 0 to 1.

    Bins beyond the first and the last middle have the level of that band.
    """
    place = np.clip(frequencies / band_hz - 0.5, 0, bands - 1)
    left = np.minimum(place.astype(int), bands - 2)
    return left, (place - left).astype(np.float32)


def interpolated(envelope: Floats, left: NDArray[np.int64], share: Floats) -> Floats:
    """Return the envelope `[frames, bands]` at the bins, `[frames, bins]`; see `band_places`."""
    below = envelope[:, left]
    result: Floats = below + (envelope[:, left + 1] - below) * share
    return result

"""`inpaint` by A2SB: an image of each gap's surroundings, and a way to a clean one."""

import logging

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiofix.audio.format import AudioFormat
from audiofix.backends.a2sb.image import ImageTransform
from audiofix.backends.a2sb.masks import filled, frame_mask
from audiofix.backends.a2sb.networks import Networks
from audiofix.backends.a2sb.request import noise_of, walk_of
from audiofix.backends.a2sb.windows import sample_image
from audiofix.backends.filling import draws_of, gap_stage
from audiofix.backends.tasks import InpaintRequest
from audiofix.dsp.autoregression import GapFiller, Samples
from audiofix.streaming.gaps import Gap
from audiofix.streaming.stage import Stage

log = logging.getLogger(__name__)

_SHORT_SECONDS = 0.05
"""Gaps up to so long are filled autoregressively, which measures better and costs nothing."""

_FADE_SECONDS = 0.01
"""Inside a gap, at both of its ends: from what both sides predict to what the network makes."""

_WINDOWS_AT_ONCE = 4


class Inpainter(Networks):
    """`tasks.Restorer` for gaps, at any rate; the network works at its own."""

    def stage(self, source: AudioFormat, request: InpaintRequest) -> Stage:
        """Return a fresh stage: each gap and its surroundings are an image of their own.

        Raises:
            UsageError: a gap makes no sense, or the steps are too few.
        """
        work = _Work(self, source, request)
        return gap_stage(source, request, work.fill, context=work.context)


class _Work:
    """What one stream does to its gaps. All channels of a gap get the same noise."""

    def __init__(self, networks: Networks, source: AudioFormat, request: InpaintRequest) -> None:
        config = networks.config
        self._networks, self._config = networks, config
        self._transform = ImageTransform(config.n_fft, config.hop)
        self._walk = walk_of(config, request.sampler, request.steps)
        self._seed = request.seed
        self._rate = source.rate
        self._filler = GapFiller(source.rate)
        window = config.window_frames * config.hop
        self.context = max(self._filler.context, -(-window * source.rate // config.rate))

    def fill(self, left: Samples, gap: Gap, right: Samples) -> Samples:
        """Return the samples of a gap, `[channels, count]`; see `streaming.gaps.Fill`."""
        count = gap.end - gap.start
        expected = np.stack(
            [
                self._filler.fill(before, count, behind, draws_of(self._seed, gap.start, channel))
                for channel, before, behind in zip(gap.channels, left, right, strict=True)
            ]
        )
        if count <= _SHORT_SECONDS * self._rate or not (left.any() or right.any()):
            return expected
        log.info("gap at %.3f s: %.3f s", gap.start / self._rate, count / self._rate)
        made = np.stack(
            [
                self._made(before, around, behind, gap.start)
                for before, around, behind in zip(left, expected, right, strict=True)
            ]
        )
        return expected + (made - expected) * self._fade(count, bool(right.size), bool(left.size))

    def _fade(self, count: int, right: bool, left: bool) -> NDArray[np.float64]:
        """Return the network's share over a gap: 0 at ends that meet sound, 1 in the middle."""
        length = min(count // 2, round(_FADE_SECONDS * self._rate))
        rise = np.sin((np.arange(length) + 0.5) / length * np.pi / 2) ** 2
        share = np.ones(count)
        if left:
            share[:length] = rise
        if right:
            share[count - length :] = rise[::-1]
        return share

    def _made(self, left: Samples, expected: Samples, right: Samples, place: int) -> Samples:
        """Return a gap of one channel as the network makes it."""
        config = self._config
        whole = np.concatenate([left, expected, right])
        scale = self._scale(np.concatenate([left, right]))
        sound = self._resampled(whole * scale, self._rate, config.rate)
        start = left.size * config.rate / self._rate
        end = (left.size + expected.size) * config.rate / self._rate
        first, last = self._centred(sound.size, start, end)
        made = self._image_made(sound[first:last], start - first, end - first, place)
        sound = np.concatenate([sound[:first], made, sound[last:]])
        back = self._resampled(sound / scale, config.rate, self._rate)
        return back[left.size : left.size + expected.size]

    def _centred(self, samples: int, start: float, end: float) -> tuple[int, int]:
        """Return where to cut so that the gap lies in the middle of one window, if it fits."""
        window = (self._config.window_frames - 1) * self._config.hop
        margin = max(window / 4, (window - (end - start)) / 2)
        first = max(0, min(int(start - margin), samples - window))
        return first, min(samples, max(int(end + margin), first + window))

    def _image_made(self, sound: Samples, start: float, end: float, place: int) -> Samples:
        config, reach = self._config, self._config.n_fft / 2
        needed = max(config.n_fft, (config.window_frames - 1) * config.hop, sound.size)
        frames = 1 + -(-needed // config.hop)
        wave = torch.from_numpy(_lengthened(sound, (frames - 1) * config.hop)).float()
        image = self._transform.image(wave)[None]
        # Every frame that hears something of the gap.
        begin = max(0, int(np.floor((start - reach) / config.hop)) + 1)
        gap = (begin, min(frames, int(np.ceil((end + reach) / config.hop))))
        mask = frame_mask([gap], image)
        noise = noise_of(self._seed, place)
        damaged = filled(image, mask, noise(-1, image.shape))
        estimate = sample_image(
            self._walk, damaged, mask, self._networks.velocity, config, noise,
            batch=_WINDOWS_AT_ONCE,
        )[-1]  # fmt: skip
        made: Tensor = self._transform.sound(estimate[0])
        return made.double().numpy()[: sound.size]

    def _scale(self, known: Samples) -> float:
        """Return what brings the surroundings to the level that the network was trained at."""
        rms = float(np.sqrt(np.mean(known**2)))
        return self._config.level / rms if self._config.level and rms > 0 else 1.0

    def _resampled(self, x: Samples, rate: int, to: int) -> Samples:
        return x if rate == to else np.asarray(soxr.resample(x, rate, to, "VHQ"))


def _lengthened(sound: Samples, samples: int) -> Samples:
    """Return a sound that is long enough: it goes on mirrored, as often as it takes."""
    missing = max(0, samples - sound.size)
    return np.pad(sound, (0, missing), mode="reflect" if sound.size > 1 else "edge")

"""`upsample` by A2SB: the band above a cutoff is made, the rest is the input's."""

import numpy as np
import torch
from torch import Tensor

from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.backends.a2sb.image import (
    ImageTransform,
    complex_spectra,
    compressed,
    magnitude_and_phase,
    projected,
    uncompressed,
)
from audiofix.backends.a2sb.masks import filled, first_masked_row, row_mask
from audiofix.backends.a2sb.networks import Networks
from audiofix.backends.a2sb.request import noise_of, walk_of
from audiofix.backends.a2sb.sliding import SlidingSampler
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.upsampling import check_request
from audiofix.dsp.rolloff import BandEdge
from audiofix.streaming.correction import at_rate
from audiofix.streaming.stage import ProportionalLength, Stage

_KEPT_SHARE = 0.96
"""Of the input's band: resamplers fade out over the rest."""

_CROSSOVER_ROWS = 6
"""Over which the made band takes over from the input's."""


class Upsampler(Networks):
    """`tasks.Restorer` for the high band; nothing above half the model's rate is made."""

    def stage(self, source: AudioFormat, request: UpsampleRequest) -> Stage:
        """Return a fresh stage: to the model's rate, through the network, to the wanted rate.

        Raises:
            UsageError: the cutoff lies outside the input's band, or the steps are too few.
        """
        check_request(source, request)
        top_hz = min(source.rate, self.rate) / 2

        def make(audio: AudioFormat) -> Stage:
            return BandStage(audio, self, request, top_hz)

        return at_rate(source, self.rate, request.to_rate, make)


class BandStage(ProportionalLength):
    """One stream at the model's rate. What the network adds is faded in above the cutoff.

    All channels get the same noise, so that what is made is as wide as what is there.
    """

    def __init__(
        self, audio: AudioFormat, networks: Networks, request: UpsampleRequest, top_hz: float
    ) -> None:
        """Start a stream whose band ends at `top_hz` at the latest."""
        config = networks.config
        self.source = audio
        self.result = audio
        self._config = config
        self._transform = ImageTransform(config.n_fft, config.hop)
        self._block = config.window_frames // 2
        walk = walk_of(config, request.sampler, request.steps)
        self._samplers = [
            SlidingSampler(walk, networks.velocity, lambda number: noise_of(request.seed, number))
            for _ in range(audio.channels)
        ]
        self._seed = request.seed
        self._band = BandEdge(config.rate, top_hz, request.cutoff_hz)
        margin = config.n_fft // 2
        self.latency = (self._samplers[0].delay + 1) * self._block * config.hop + 2 * margin
        self._heard = empty_chunk(audio.channels)
        """Samples from `margin` before the next block's first frame on; reflected at the start."""
        self._waiting = empty_chunk(audio.channels)
        """Samples whose additions are not known yet."""
        self._spectra: list[tuple[Tensor, int]] = []
        """Of blocks in the samplers: the input's spectra, and the first row that is made."""
        self._blocks = 0
        self._samples = 0
        self._added = _OverlapAdd(audio.channels, config.n_fft, config.hop)

    def push(self, chunk: Chunk) -> Chunk:
        """Accept samples; return those whose additions are known."""
        self._samples += chunk.shape[1]
        self._waiting = np.concatenate([self._waiting, chunk], axis=1)
        self._heard = np.concatenate([self._heard, chunk], axis=1)
        self._work()
        return self._released(self._added.final)

    def flush(self) -> Chunk:
        """End the stream: the last frames hear silence behind it."""
        if not self._samples:
            return empty_chunk(self.source.channels)
        config = self._config
        # Every sample needs all frames that reach it; an image has two blocks at least.
        frames = 1 + -(-(self._samples + config.n_fft // 2) // config.hop)
        blocks = max(2, -(-frames // self._block))
        silence = np.zeros((self.source.channels, blocks * self._block * config.hop + config.n_fft))
        self._heard = as_chunk(np.concatenate([self._heard, silence], axis=1))
        while self._blocks < blocks:
            self._work(most=1)
        self._take([sampler.flush() for sampler in self._samplers])
        return self._released(self._samples)

    def _work(self, most: int = 1 << 30) -> None:
        """Send complete blocks into the samplers, at most so many."""
        config, margin = self._config, self._config.n_fft // 2
        while most > 0:
            behind = 0 if self._blocks else margin
            needed = (self._block - 1) * config.hop + config.n_fft - behind
            if self._heard.shape[1] < max(needed, margin + 1):
                return
            if not self._blocks:
                self._heard = np.concatenate([self._heard[:, margin:0:-1], self._heard], axis=1)
            piece = torch.from_numpy(self._heard[:, : needed + behind])
            self._heard = self._heard[:, self._block * config.hop :].copy()
            # What is new in this block, so that a cutoff found does not hang on the chunks.
            self._band.push(piece[:, -self._block * config.hop :].numpy())
            cutoff_hz = _KEPT_SHARE * self._band.find()
            row = first_masked_row(cutoff_hz, config) if piece.any() else config.rows
            self._send(self._spectra_of(piece), row)
            most -= 1

    def _spectra_of(self, piece: Tensor) -> Tensor:
        """Return `[channels, bins, frames]` of frames that lie wholly within a piece."""
        config = self._config
        frames = piece.unfold(1, config.n_fft, config.hop)
        window = torch.hann_window(config.n_fft)
        spectra: Tensor = torch.fft.rfft(frames * window).transpose(1, 2)
        return spectra

    def _send(self, spectra: Tensor, row: int) -> None:
        """Send a block into the samplers, to be made from `row` on; silence stays silence."""
        images = compressed(magnitude_and_phase(spectra)[..., 1:, :])
        self._spectra.append((spectra, row))
        noise = noise_of(self._seed, self._blocks)
        finished = []
        for image, sampler in zip(images, self._samplers, strict=True):
            mask = row_mask(row, image[None])
            damaged = filled(image[None], mask, noise(-1, mask.shape))
            finished.append(sampler.push(damaged, mask))
        self._blocks += 1
        self._take(finished)

    def _take(self, finished: list[list[Tensor]]) -> None:
        """Add what the samplers made to the result: a list of blocks for each channel."""
        for blocks in zip(*finished, strict=True):
            spectra, row = self._spectra.pop(0)
            made = complex_spectra(projected(uncompressed(torch.cat(blocks))))
            rows = torch.arange(spectra.shape[1]) - (row + 1)
            share = ((rows + 1) / _CROSSOVER_ROWS).clamp(0, 1)[:, None]
            self._added.push(share * (made - spectra))

    def _released(self, until: int) -> Chunk:
        start = self._samples - self._waiting.shape[1]
        count = max(0, min(until, self._samples) - start)
        ready = self._waiting[:, :count] + self._added.take(count)
        self._waiting = self._waiting[:, count:].copy()
        return as_chunk(ready)


class _OverlapAdd:
    """The inverse transform of a stream of frames, the first one centred at sample 0."""

    def __init__(self, channels: int, n_fft: int, hop: int) -> None:
        self._hop, self._margin = hop, n_fft // 2
        self._window = torch.hann_window(n_fft)
        self._sound = np.zeros((channels, n_fft), np.float32)
        self._weight = np.zeros(n_fft, np.float32)
        self._start = -self._margin
        """Sample at which both begin."""
        self._frames = 0

    @property
    def final(self) -> int:
        """Samples before this one are complete."""
        return max(0, self._frames * self._hop - self._margin)

    def push(self, spectra: Tensor) -> None:
        """Add frames `[channels, bins, frames]`."""
        count, n_fft = spectra.shape[2], self._window.numel()
        frames = torch.fft.irfft(spectra.transpose(1, 2)) * self._window
        first = self._frames * self._hop - self._margin - self._start
        missing = first + (count - 1) * self._hop + n_fft - self._weight.size
        self._sound = np.pad(self._sound, ((0, 0), (0, max(0, missing))))
        self._weight = np.pad(self._weight, (0, max(0, missing)))
        power = (self._window**2).numpy()
        for place in range(count):
            span = slice(first + place * self._hop, first + place * self._hop + n_fft)
            self._sound[:, span] += frames[:, place].numpy()
            self._weight[span] += power
        self._frames += count

    def take(self, count: int) -> Chunk:
        """Return the next samples, which are `final`."""
        if not count:
            return empty_chunk(len(self._sound))
        first = max(0, -self._start)
        sound = self._sound[:, first : first + count]
        weight = np.maximum(self._weight[first : first + count], 1e-6)
        self._start += first + count
        self._sound = self._sound[:, first + count :].copy()
        self._weight = self._weight[first + count :].copy()
        return as_chunk(sound / weight)

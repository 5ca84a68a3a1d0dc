"""The envelope model as a stage at one rate: what is there passes, what is missing is added."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.backends.envelope.bands import frame_grid
from audiofix.backends.envelope.filling import Filling
from audiofix.backends.envelope.layers import BLOCK_FRAMES
from audiofix.backends.envelope.network import EnvelopeNetwork
from audiofix.backends.placement import Placement
from audiofix.dsp.rolloff import BandEdge
from audiofix.streaming.stage import ProportionalLength

_MOST_BLOCKS = 32
"""Computed together where so many have come, which is faster. More would be shared out to threads,
at places that depend on how many there are, and so would the last bits."""

_LEAST_WEIGHT = 1e-3
"""Of overlapping windows, where a stream begins."""


class Band:
    """Where the band of one stream ends: told, or found while the stream passes.

    Attributes:
        patience: samples that are listened to before the first answer.
        highest_hz: where it ends in any case.
    """

    def __init__(
        self, rate: int, highest_hz: float, told_hz: float | None, *, patience: int
    ) -> None:
        """Start a stream.

        Args:
            rate: samples per second.
            highest_hz: where the band ends in any case.
            told_hz: where it ends as the user says, None to find it.
            patience: see above; 0 where it is told.
        """
        self.cutoff_hz = told_hz or highest_hz
        self.patience = 0 if told_hz else patience
        self.highest_hz = highest_hz
        self._edge = BandEdge(rate, highest_hz, told_hz)
        self._second = rate
        self._heard = 0

    def listen(self, chunk: Chunk) -> None:
        """Take in the next samples; the answer may change once a second."""
        before, self._heard = self._heard, self._heard + chunk.shape[1]
        self._edge.push(chunk)
        if before == 0 < self.patience or before // self._second < self._heard // self._second:
            self.cutoff_hz = self._edge.find()


class EnvelopeStage(ProportionalLength):
    """Adds the missing band to one stream. Source and result have one rate."""

    def __init__(
        self,
        network: EnvelopeNetwork,
        placement: Placement,
        audio: AudioFormat,
        band: Band,
        seed: int,
    ) -> None:
        """Start a stream.

        Args:
            network: in eval mode, on the placement's device.
            placement: where it computes.
            audio: format of source and result.
            band: says where the input's band ends.
            seed: of the noise; each channel has its own.
        """
        self.source = self.result = audio
        self._grid = grid = frame_grid(audio.rate)
        self._band = band
        self.top_hz = min(network.config.top_hz, audio.rate / 2)
        self._channels = [
            Filling(network, placement, grid, seed + channel) for channel in range(audio.channels)
        ]
        self._ahead = network.config.lookahead * grid.hop
        self._step = BLOCK_FRAMES * grid.hop
        self._span = grid.size + self._step - grid.hop
        self.latency = band.patience + self._span + self._ahead
        # The first frame is centred on the first sample.
        self._held = np.zeros((audio.channels, grid.size // 2), np.float32)
        self._start = -(grid.size // 2)
        self._past = np.zeros((audio.channels, self._ahead), np.float32)
        self._wet = np.zeros((audio.channels, self._span - self._step), np.float32)
        self._weight = np.zeros(self._span - self._step, np.float32)
        self._samples_in = self._samples_out = self._listened = 0

    def push(self, chunk: Chunk) -> Chunk:
        """Accept samples and return those that no later frame changes."""
        self._samples_in += chunk.shape[1]
        self._held = np.concatenate([self._held, chunk], axis=1)
        parts = [chunk[:, :0]]
        while self._held.shape[1] >= self._band.patience + self._span:
            parts.append(self._advance())
        return np.concatenate(parts, axis=1)

    def flush(self) -> Chunk:
        """Return the rest."""
        parts = [self._held[:, :0]]
        self._held = np.pad(self._held, ((0, 0), (0, self.latency + self._step)))
        while self._samples_out < self._samples_in:
            parts.append(self._advance())
        return np.concatenate(parts, axis=1)

    def _advance(self) -> Chunk:
        """Work through the next blocks of frames and return the samples that are now final."""
        blocks, cutoff_hz = self._blocks()
        samples = blocks * self._step
        self._wet = np.pad(self._wet, ((0, 0), (0, samples)))
        self._weight = np.pad(self._weight, (0, samples))
        if cutoff_hz < self.top_hz:
            self._add(blocks, cutoff_hz)
        before = np.concatenate([self._past, self._held[:, :samples]], axis=1)
        self._past = before[:, samples:]
        added = self._wet[:, :samples] / np.maximum(self._weight[:samples], _LEAST_WEIGHT)
        first = self._start - self._ahead
        ready = (before[:, :samples] + added)[:, max(0, -first) : self._samples_in - first]
        self._wet, self._weight = self._wet[:, samples:], self._weight[samples:]
        self._held = self._held[:, samples:]
        self._start += samples
        self._samples_out += ready.shape[1]
        return as_chunk(ready)

    def _blocks(self) -> tuple[int, float]:
        """Return how many blocks are ready and have one end of the band, and that end."""
        spare = self._held.shape[1] - self._band.patience - self._span
        ready = min(_MOST_BLOCKS, 1 + spare // self._step)
        self._listen(0)
        cutoff_hz = self._band.cutoff_hz
        for block in range(1, ready):
            self._listen(block)
            if self._band.cutoff_hz != cutoff_hz:
                return block, cutoff_hz
        return ready, cutoff_hz

    def _add(self, blocks: int, cutoff_hz: float) -> None:
        """Overlap what so many blocks add to their samples."""
        span = self._held[:, : self._span + (blocks - 1) * self._step]
        frames = sliding_window_view(span, self._grid.size, axis=1)[:, :: self._grid.hop]
        self._overlap(
            np.stack(
                [
                    channel.added(own, cutoff_hz, self._band.highest_hz)
                    for channel, own in zip(self._channels, frames, strict=True)
                ]
            )
        )

    def _listen(self, block: int) -> None:
        """Let the band's end be found from everything that has come for a block."""
        block_end = self._start + block * self._step + self._span
        end = min(self._samples_in, block_end + self._band.patience)
        if end > self._listened:
            first = self._listened - self._start
            self._band.listen(self._held[:, first : end - self._start])
            self._listened = end

    def _overlap(self, frames: NDArray[np.float32]) -> None:
        """Add frames `[channels, frames, size]` to the samples that are being made."""
        window, hop = self._grid.window, self._grid.hop
        for place, frame in enumerate(frames.swapaxes(0, 1)):
            begin = place * hop
            if self._start + begin - self._ahead < -(self._grid.size // 2):
                continue  # a frame before the first one
            self._wet[:, begin : begin + self._grid.size] += frame * window
            self._weight[begin : begin + self._grid.size] += window * window

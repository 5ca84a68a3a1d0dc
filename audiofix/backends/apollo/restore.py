"""Apollo as a stage: exact length, no seams, bounded memory, at any rate."""

import logging

import numpy as np
import torch
from torch import Tensor

from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.network import Apollo
from audiofix.backends.apollo.stream import SoundStream
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import DecodeRestoreRequest, Edges
from audiofix.backends.weights import Checkpoint, filled_module
from audiofix.streaming.correction import at_rate
from audiofix.streaming.rechunk import Rechunk
from audiofix.streaming.stage import ProportionalLength, Stage

log = logging.getLogger(__name__)

_TILE_HOPS = 64
"""Frames that go through the network together: 0.64 s. More is hardly faster."""

_LEARNED_TAIL_SAMPLES = 1105
"""At the end of what it is given, the released model invents so many samples (specification,
section 5): its training clips ended with the start-up of a decoder."""


def open(checkpoint: Checkpoint, placement: Placement) -> "ApolloRestorer":
    """Open an Apollo checkpoint.

    Raises:
        CheckpointError: the tensors do not fit the network.
    """
    config = {name: value for name, value in checkpoint.config.items() if name != "rate"}
    settings = ApolloConfig.from_mapping(config)
    network = filled_module(lambda: Apollo(settings), checkpoint.tensors, checkpoint.name)
    network = network.eval().requires_grad_(False).to(placement.device)
    return ApolloRestorer(checkpoint.name, network, placement)


class ApolloRestorer:
    """A loaded Apollo. Holds weights; each stream's state is in its own stage."""

    def __init__(self, name: str, network: Apollo, placement: Placement) -> None:
        """Wrap a network that is in eval mode on its device."""
        self.name = name
        self.rate = network.config.sr
        self.network = network
        self.placement = placement

    def stage(self, source: AudioFormat, request: DecodeRestoreRequest) -> Stage:
        """Return a fresh stage: to the model's rate, through the network, to the wanted rate."""
        to_rate = request.to_rate or source.rate
        log.info("%d Hz in, model at %d Hz, %d Hz out", source.rate, self.rate, to_rate)

        def make(audio: AudioFormat) -> Stage:
            return ApolloStage(audio, self.network, self.placement, request.edges)

        return at_rate(source, self.rate, to_rate, make)


class ApolloStage(ProportionalLength):
    """One stream at the model's rate through the network, in tiles of whole hops."""

    def __init__(
        self, audio: AudioFormat, network: Apollo, placement: Placement, edges: Edges = "extended"
    ) -> None:
        """Start before the first sample; see `DecodeRestoreRequest.edges`."""
        config = network.config
        self.source = audio
        self.result = audio
        self._config = config
        self._placement = placement
        self._edges = edges
        self._tile = _TILE_HOPS * config.hop
        self._blocks = Rechunk(audio.channels, self._tile)
        self._stream = SoundStream(network, placement)
        self._tail = empty_chunk(audio.channels)
        """The newest samples, for the reflection at the end."""
        self._samples_in = 0
        self._samples_out = 0
        first = (config.reach_frames + 1) * config.hop + config.window - config.window // 2
        self.latency = -(-first // self._tile) * self._tile

    def push(self, chunk: Chunk) -> Chunk:
        """Return the samples of every tile that is complete."""
        self._samples_in += chunk.shape[1]
        self._tail = np.concatenate([self._tail, chunk], axis=1)[
            :, -self._most_padding - 1 :
        ].copy()
        made = [chunk[:, :0]]
        made += [self._restored(block, last=False) for block in self._blocks.push(chunk)]
        self._samples_out += sum(part.shape[1] for part in made)
        return np.concatenate(made, axis=1)

    def flush(self) -> Chunk:
        """Return the rest."""
        if self._samples_in == 0:
            return empty_chunk(self.result.channels)
        rest = np.concatenate([self._blocks.rest(), self._padding()], axis=1)
        made = self._restored(rest, last=True)
        return as_chunk(made[:, : self._samples_in - self._samples_out])

    @property
    def _most_padding(self) -> int:
        hop = self._config.hop
        reach = (self._config.reach_frames + 1) * hop + _LEARNED_TAIL_SAMPLES
        return (-(-reach // hop) + 1) * hop

    def _padding(self) -> Chunk:
        """Return what goes on after the end, so that no end of sound is at the end of the sound.

        It makes whole hops, and is longer than the network's reach: reflected sound, followed by
        silence where there is too little.
        """
        if self._edges == "published" and self._samples_in > self._config.window // 2:
            return empty_chunk(self.source.channels)
        missing = self._most_padding - self._samples_in % self._config.hop
        reflected = self._tail[:, :-1][:, ::-1][:, :missing]
        return as_chunk(np.pad(reflected, ((0, 0), (0, missing - reflected.shape[1]))))

    def _restored(self, samples: Chunk, *, last: bool) -> Chunk:
        with self._placement.guard(), torch.inference_mode():
            rows = torch.from_numpy(samples).to(self._placement.device)
            made: Tensor = self._stream.push(rows, last=last)
            return as_chunk(made.float().cpu().numpy())

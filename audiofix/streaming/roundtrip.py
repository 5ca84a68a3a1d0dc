"""Encoding and decoding at once, as a stage: what `encode | decode` makes of sound, to the bit."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, inf

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.streaming.codec import Codec, FrameDecoder, Use
from audiofix.streaming.decoding import Decoding
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import ProportionalLength


class RoundTrip(ProportionalLength):
    """Sound through codes and back, at its own rate and of its own length."""

    def __init__(
        self,
        codec: Codec,
        source: AudioFormat,
        use: Use = "file",
        *,
        codebooks: int | None = None,
        decoder: Callable[[], FrameDecoder] | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            codec: encodes, and decodes unless `decoder` does.
            source: of the sound.
            use: see `Codec`.
            codebooks: how many to send, the first ones; None for all.
            decoder: makes a decoder of the same codes.
        """
        self.source = self.result = source
        self._books = codebooks or codec.layout.codebooks
        layout = replace(
            codec.layout,
            channels=source.channels,
            codebooks=self._books,
            source_rate=source.rate,
        )
        seconds = layout.seconds(1) if use == "live" else inf
        self._encoder = codec.encoder(source, use, codebooks=self._books)
        self._decoding = Decoding(
            layout,
            decoder or (lambda: codec.decoder(source.channels, use)),
            block_seconds=seconds,
        )
        self._samples_in = 0
        model = AudioFormat(layout.rate, source.channels)
        there = Resample(source, model.rate, block_seconds=seconds)
        back = Resample(model, source.rate, block_seconds=seconds)
        held = Fraction(codec.latency(use) + back.latency, model.rate)
        self.latency = there.latency + self._decoding.spare + ceil(held * source.rate)

    def push(self, chunk: Chunk) -> Chunk:
        """Encode samples and decode every frame that is complete."""
        self._samples_in += chunk.shape[1]
        return self._decoding.push(self._encoder.push(chunk))

    def flush(self) -> Chunk:
        """Encode and decode the remaining samples."""
        decoded = self._decoding.push(self._encoder.flush())
        return np.concatenate([decoded, self._decoding.finish(self._samples_in)], axis=1)

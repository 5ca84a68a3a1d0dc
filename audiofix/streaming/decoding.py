"""Codes to sound of exactly the encoded length, at the encoded rate, across what is missing."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk, empty_chunk
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.errors import CheckpointError
from audiofix.streaming.codec import Codec, FrameDecoder
from audiofix.streaming.resample import Resample

_SPARE_SAMPLES = 4
"""Rounding the length at both rates moves it by fewer."""


class Decoding:
    """One stream of packets and gaps on its way to sound.

    The codec's last frame reaches beyond the sound; how far is known at the end only. So the last
    frame's worth of sound waits until `finish`.

    Attributes:
        sent: samples returned so far, per channel.
        spare: samples that wait for the end, per channel.
    """

    def __init__(
        self,
        layout: CodeLayout,
        decoder: Callable[[], FrameDecoder],
        *,
        block_seconds: float = math.inf,
    ) -> None:
        """Begin a stream.

        Args:
            layout: of the codes.
            decoder: makes a fresh decoder; a new one starts behind every gap.
            block_seconds: the most that samples wait to be resampled.
        """
        self._layout = layout
        self._make = decoder
        self._decoder: FrameDecoder | None = None
        self._resample = Resample(
            AudioFormat(layout.rate, layout.channels),
            layout.sound_rate,
            block_seconds=block_seconds,
        )
        frame = -(-layout.hop * layout.sound_rate // layout.rate)
        self.spare = frame + _SPARE_SAMPLES
        self._held = empty_chunk(layout.channels)
        self.sent = 0

    def push(self, codes: Codes) -> Chunk:
        """Accept frames and return the sound `[channels, n]` that is now final."""
        if self._decoder is None:
            self._decoder = self._make()
        return self._release(self._resample.push(self._decoder.push(codes)))

    def skip(self, frames: int) -> Iterator[Chunk]:
        """Accept that frames are missing, and yield the silence that stands for them in pieces."""
        yield self._release(self._rest_of_decoder())
        silence = np.zeros((self._layout.channels, self._layout.hop), np.float32)
        for _ in range(frames):
            yield self._release(self._resample.push(silence))

    def finish(self, samples: int | None) -> Chunk:
        """End the stream and return what is left.

        Args:
            samples: exact length of the whole sound; None where it is not known, then everything
                that was decoded is returned.
        """
        self._hold(self._rest_of_decoder())
        self._hold(self._resample.flush())
        if samples is None:
            return self._held
        wanted = samples - self.sent
        rest = self._held[:, : max(0, wanted)]
        return as_chunk(np.pad(rest, ((0, 0), (0, max(0, wanted - rest.shape[1])))))

    def _rest_of_decoder(self) -> Chunk:
        decoder, self._decoder = self._decoder, None
        if decoder is None:
            return empty_chunk(self._layout.channels)
        return self._resample.push(decoder.flush())

    def _hold(self, sound: Chunk) -> None:
        self._held = np.concatenate([self._held, sound], axis=1)

    def _release(self, sound: Chunk) -> Chunk:
        self._hold(sound)
        count = max(0, self._held.shape[1] - self.spare)
        ready, self._held = self._held[:, :count], self._held[:, count:].copy()
        self.sent += count
        return as_chunk(ready)


def refuse_other_codebooks(codec: Codec, layout: CodeLayout, name: str) -> None:
    """Check that a codec can decode codes.

    Args:
        codec: what would decode.
        layout: of the codes.
        name: what messages call the codes.

    Raises:
        CheckpointError: it has other codebooks, or other frames.
    """
    own = codec.layout
    if own.checkpoint != layout.checkpoint:
        raise CheckpointError(
            f"{name}: made with the codebooks {layout.checkpoint} of {layout.model}; {own.model} "
            f"has {own.checkpoint}: name the right model with -m"
        )
    same = all(getattr(layout, field) == getattr(own, field) for field in ("rate", "hop", "bits"))
    if layout.codebooks > own.codebooks or not same:
        raise CheckpointError(f"{name}: its frames are not those of {own.model}: encode again")

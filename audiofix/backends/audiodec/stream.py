"""Sound to codes and codes to sound, in streams of any cut.

Networks are called with blocks of one size, whatever is pushed: a matrix product may round
otherwise for another number of rows, or of threads: each channel is one thread's. So the bits of a
stream depend on nothing but its block size.
"""

import math

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.backends.audiodec.inference import CodesToSound, SoundToCodes
from audiofix.backends.spread import spread
from audiofix.codes.layout import Codes
from audiofix.errors import InputError
from audiofix.streaming.guard import Guard
from audiofix.streaming.rechunk import Rechunk
from audiofix.streaming.resample import Resample


class StreamEncoder:
    """One stream of sound on its way to codes; see `streaming.codec.FrameEncoder`.

    With blocks of one frame a code is out when the first sample of its hop arrives, which is the
    last one that it depends on.
    """

    def __init__(
        self,
        half: SoundToCodes,
        source: AudioFormat,
        *,
        rate: int,
        frames: int,
        codebooks: int | None = None,
        late: int = 0,
        block_seconds: float = math.inf,
    ) -> None:
        """Begin a stream.

        Args:
            half: the model.
            source: what will be pushed; another rate is resampled, each channel is coded alone.
            rate: of the model, samples per second.
            frames: per block.
            codebooks: to use, the first ones; None for all.
            late: frames that the decoder is late; the first so many are left out for it.
            block_seconds: the most that samples wait to be resampled.
        """
        self._half = half
        self._codebooks = codebooks or half.codebooks
        self._late_due = late
        self._resample = Guard(Resample(source, rate, block_seconds=block_seconds))
        self._states = [half.begin() for _ in range(source.channels)]
        self._block = frames * half.hop
        self._blocks = Rechunk(source.channels, self._block)
        # Shorter than a block, so that none comes out yet.
        list(self._blocks.push(np.zeros((source.channels, half.lead), np.float32)))
        self._samples_in = 0
        self._frames_out = 0

    def push(self, chunk: Chunk) -> Codes:
        """Accept the next samples `[channels, n]` and return every frame that is now final.

        Raises:
            InputError: the chunk has another shape, or holds NaN or infinity; the time is named.
            UsageError: the stream was flushed before.
        """
        return self._encode(self._resample.push(chunk))

    def flush(self) -> Codes:
        """End the stream and return what is left: in total ceil(samples / hop) frames."""
        codes = self._encode(self._resample.flush())
        frames = -(-self._samples_in // self._half.hop)
        wanted = codes.shape[1] + frames - self._frames_out
        parts, block = [codes], self._blocks.rest()
        while sum(part.shape[1] for part in parts) < wanted:
            block = np.pad(block, ((0, 0), (0, self._block - block.shape[1])))
            parts.append(self._timely(self._codes(block)))
            block = block[:, :0]
        return np.concatenate(parts, axis=1)[:, :wanted]

    def _encode(self, samples: Chunk) -> Codes:
        parts = [np.empty((len(samples), 0, self._codebooks), np.uint16)]
        begins = self._samples_in == 0 and samples.shape[1] > 0
        self._samples_in += samples.shape[1]
        if begins and not self._half.lead:
            parts.append(self._codes(samples[:, :1]))
            samples = samples[:, 1:]
        parts += [self._codes(block) for block in self._blocks.push(samples)]
        codes = self._timely(np.concatenate(parts, axis=1))
        self._frames_out += codes.shape[1]
        return codes

    def _timely(self, codes: Codes) -> Codes:
        """Return the codes without the first ones of the stream that are due to be left out."""
        left_out = min(self._late_due, codes.shape[1])
        self._late_due -= left_out
        return codes[:, left_out:]

    def _codes(self, block: Chunk) -> Codes:
        rows = list(zip(as_chunk(block), self._states, strict=True))
        return np.stack(spread(lambda row: self._half(*row, self._codebooks), rows))


class StreamDecoder:
    """One stream of codes on its way to sound; see `streaming.codec.FrameDecoder`."""

    def __init__(self, half: CodesToSound, channels: int, *, frames: int) -> None:
        """Begin a stream.

        Args:
            half: the model.
            channels: of the sound.
            frames: per block.
        """
        self._half = half
        self._states = [half.begin() for _ in range(channels)]
        self._frames = frames
        self._held: Codes | None = None

    def push(self, codes: Codes) -> Chunk:
        """Accept the next frames and return every sample `[channels, n]` that is now final.

        Args:
            codes: `[channels, frames, codebooks]`; the first codebooks, if there are fewer than the
                model has.

        Raises:
            InputError: the codes have another shape, or are none of this codec.
        """
        self._check(codes)
        held = codes if self._held is None else np.concatenate([self._held, codes], axis=1)
        whole = held.shape[1] - held.shape[1] % self._frames
        self._held = held[:, whole:].copy()
        parts = [np.empty((len(self._states), 0), np.float32)]
        parts += [
            self._sound(held[:, start : start + self._frames])
            for start in range(0, whole, self._frames)
        ]
        return np.concatenate(parts, axis=1)

    def flush(self) -> Chunk:
        """End the stream and return what is left: in total frames * hop samples."""
        if self._held is None or not self._held.shape[1]:
            return np.empty((len(self._states), 0), np.float32)
        frames = self._held.shape[1]
        block = np.pad(self._held, ((0, 0), (0, self._frames - frames), (0, 0)))
        return as_chunk(self._sound(block)[:, : frames * self._half.hop])

    def _check(self, codes: Codes) -> None:
        books, size = self._half.codebooks, self._half.codebook_size
        if codes.ndim != 3 or len(codes) != len(self._states) or not 0 < codes.shape[2] <= books:
            raise InputError(
                f"codes of shape {codes.shape}: must be [{len(self._states)}, frames, 1 to {books}]"
            )
        if codes.size and codes.max() >= size:
            raise InputError(f"code {codes.max()}: this codec has 0 to {size - 1}: use its own")

    def _sound(self, block: Codes) -> Chunk:
        rows = list(zip(block, self._states, strict=True))
        return np.stack(spread(lambda row: self._half(*row), rows))

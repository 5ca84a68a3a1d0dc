"""AudioDec's two halves at work: the next block of one channel, its stream's state beside it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiofix.backends.audiodec.autoencoder import Autoencoder, Decoder
from audiofix.backends.audiodec.quantizer import Quantizer
from audiofix.backends.audiodec.spectral import SpectralCodec, SpectralDecoder
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.spread import alone
from audiofix.nn.state import Beginning, StreamState

FrameCodes = NDArray[np.uint16]
"""Codes of one channel, `[frames, codebooks]`."""

Samples = NDArray[np.float32]
"""Sound of one channel, `[samples]`."""


class SoundToCodes:
    """Encoder, projector and codebooks, and how a stream of theirs begins."""

    def __init__(
        self, network: Autoencoder | SpectralCodec, warm_up_frames: int, *, time_major: bool = False
    ) -> None:
        """Wrap a network that is ready for streams, on its device.

        Args:
            network: its decoder is not used.
            warm_up_frames: frames of silence before every stream; 0 begins without history.
            time_major: the layout that suits the blocks to come; see `nn.conv`.
        """
        self.network = network
        self.hop = network.config.hop
        self.codebooks = network.config.codebook_num
        self.quantizer: Quantizer = network.quantizer
        self._square_norms = self.quantizer.codebook.square_norms()
        self._beginning = StreamState(time_major=time_major)
        self.warm_up_codes: FrameCodes = np.empty((0, self.codebooks), np.uint16)
        """Of the silence before a stream."""
        if warm_up_frames:
            silence = np.zeros((warm_up_frames - 1) * self.hop, np.float32)
            parts = silence[:1], silence
            codes = alone(lambda: [self(part, self._beginning) for part in parts])
            self.warm_up_codes = np.concatenate(codes)

    @property
    def lead(self) -> int:
        """Samples of silence that are still due when a stream begins.

        Blocks end with the first sample of a hop. So silence before the stream is short of the end
        of a block by one sample; and without any silence that one sample is a block of its own.
        """
        return self.hop - 1 if len(self.warm_up_codes) else 0

    def begin(self) -> StreamState:
        """Return the state of a stream that is about to begin."""
        return self._beginning.clone()

    @torch.inference_mode()
    def __call__(
        self, samples: Samples, state: StreamState, codebooks: int | None = None
    ) -> FrameCodes:
        """Return the codes of one channel's next samples: one, then whole hops.

        Args:
            samples: of one channel.
            state: of its stream.
            codebooks: how many to use, the first ones; None for all.
        """
        x = torch.from_numpy(samples).to(self._square_norms[0].device)
        x = x.view(1, -1, 1) if state.time_major else x.view(1, 1, -1)
        z: Tensor = self.network.projector(self.network.encoder(x, state), state)
        rows = z[0] if state.time_major else z[0].t().contiguous()
        codes = self.quantizer.encode(rows, self._square_norms[:codebooks], state)
        return np.asarray(codes.cpu(), np.uint16)


class CodesToSound:
    """Codebooks and a receiver, and how a stream of theirs begins."""

    def __init__(
        self,
        quantizer: Quantizer,
        receiver: Decoder | Vocoder | SpectralDecoder,
        warm_up_codes: FrameCodes,
        beginning: Beginning = "zeros",
        *,
        time_major: bool = False,
    ) -> None:
        """Wrap networks that are ready for streams, on their device.

        Args:
            quantizer: whose codebooks the codes are of.
            receiver: what makes sound of code vectors.
            warm_up_codes: what is decoded before every stream, and not heard.
            beginning: what comes before that.
            time_major: the layout that suits the blocks to come; see `nn.conv`.
        """
        self.quantizer = quantizer
        self.receiver = receiver
        self.hop = receiver.hop
        self.codebooks = len(quantizer.codebook.layers)
        self.codebook_size = quantizer.codebook.size
        self._dtype = next(receiver.parameters()).dtype
        self._beginning = StreamState(beginning, time_major=time_major)
        if len(warm_up_codes):
            alone(lambda: self(warm_up_codes, self._beginning))

    def begin(self) -> StreamState:
        """Return the state of a stream that is about to begin."""
        return self._beginning.clone()

    @torch.inference_mode()
    def __call__(self, codes: FrameCodes, state: StreamState) -> Samples:
        """Return the sound of one channel's next frames, a hop for each."""
        device = next(self.receiver.parameters()).device
        indices = torch.from_numpy(codes.T.astype(np.int64)).to(device)
        vectors = self.quantizer.decode(indices, state)[None].to(self._dtype)
        y: Tensor = self.receiver(vectors if state.time_major else vectors.mT, state)
        return np.asarray(y.flatten().float().cpu())

"""AudioDec as a codec: any rate in, codes in between, the model's rate out."""

import math
from functools import cache
from hashlib import sha256

from torch import nn

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.autoencoder import Autoencoder, Decoder
from audiofix.backends.audiodec.config import VOCODER_PREFIX, AutoencoderConfig, CodecConfig
from audiofix.backends.audiodec.inference import CodesToSound, SoundToCodes
from audiofix.backends.audiodec.quantizer import Quantizer
from audiofix.backends.audiodec.spectral import SpectralCodec, SpectralDecoder
from audiofix.backends.audiodec.stream import StreamDecoder, StreamEncoder
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.placement import Placement
from audiofix.backends.weights import Checkpoint, filled_module
from audiofix.codes.layout import CodeLayout
from audiofix.errors import CheckpointError, UsageError
from audiofix.nn.conv import pack_weights, serves
from audiofix.nn.weight_norm import fold_weight_norm
from audiofix.streaming.codec import Use

BLOCK_FRAMES: dict[Use, int] = {"file": 64, "live": 1}
"""Frames that a network is called with: for speed (more gain nothing), or for the least delay."""


class AudioDec:
    """A loaded AudioDec. Holds weights; each stream's state is in its own encoder or decoder.

    A stream's bits depend on its use, "file" or "live", and on nothing else.
    """

    def __init__(
        self,
        name: str,
        config: CodecConfig,
        autoencoder: Autoencoder | SpectralCodec,
        vocoder: Vocoder | None,
        placement: Placement,
    ) -> None:
        """Ready the networks for streams, in place.

        Args:
            name: of the model.
            config: of the networks and of how streams begin.
            autoencoder: the encoder, its codebooks, and a receiver.
            vocoder: another receiver, the usual one if there is one.
            placement: where to compute. The receivers take its precision; codes are always
                searched in float32, or they would be others.

        Raises:
            CheckpointError: the networks cannot stream, or do not fit each other.
        """
        receiver: Decoder | Vocoder | SpectralDecoder = (
            autoencoder.decoder if vocoder is None else vocoder
        )
        _check(name, config, receiver.hop)
        for network in (autoencoder, receiver):
            fold_weight_norm(network.eval().requires_grad_(False).to(placement.device))
        self.autoencoder = autoencoder
        self.receiver = receiver.to(placement.dtype)
        self.own_decoder = autoencoder.decoder.to(placement.dtype)
        self.has_vocoder = vocoder is not None
        self.denoises = config.denoises
        self.config = config
        self.name = name
        self.layout = CodeLayout(
            model=name,
            checkpoint=codebook_hash(autoencoder.quantizer),
            rate=config.rate,
            channels=1,
            hop=config.autoencoder.hop,
            codebooks=config.autoencoder.codebook_num,
            bits=(config.autoencoder.codebook_size - 1).bit_length(),
        )
        self.sound_to_codes = cache(self._sound_to_codes)
        self.codes_to_sound = cache(self._codes_to_sound)

    def encoder(
        self, source: AudioFormat, use: Use = "file", *, codebooks: int | None = None
    ) -> StreamEncoder:
        """Return a fresh encoder for one stream of this format, of any rate and channels."""
        half = self.sound_to_codes(use)
        return StreamEncoder(
            half,
            source,
            rate=self.layout.rate,
            frames=BLOCK_FRAMES[use],
            codebooks=codebooks,
            late=self.config.late_frames,
            block_seconds=self._block_seconds(use),
        )

    def decoder(
        self, channels: int = 1, use: Use = "file", *, vocoder: bool | None = None
    ) -> StreamDecoder:
        """Return a fresh decoder for one stream; its sound has the model's rate.

        Raises:
            UsageError: `vocoder` is asked for, and there is none.
        """
        if vocoder and not self.has_vocoder:
            raise UsageError(f"--vocoder: {self.name} has none: leave it out")
        half = self.codes_to_sound(use, vocoder is not False)
        return StreamDecoder(half, channels, frames=BLOCK_FRAMES[use])

    def latency(self, use: Use) -> int:
        """Return how many samples at its own rate wait in an encoder and a decoder together."""
        # Blocks of encoder and decoder need not meet: the sound waits for one of each.
        frames = 2 * BLOCK_FRAMES[use] if use == "file" else 0
        return (frames + self.config.late_frames) * self.layout.hop

    def _block_seconds(self, use: Use) -> float:
        """Return the most that samples wait to be resampled."""
        return self.layout.hop / self.layout.rate if use == "live" else math.inf

    def _sound_to_codes(self, use: Use) -> SoundToCodes:
        time_major = _time_major(use, self.autoencoder)
        if time_major:
            pack_weights(self.autoencoder)
        return SoundToCodes(self.autoencoder, self.config.warm_up_frames, time_major=time_major)

    def _codes_to_sound(self, use: Use, usual: bool) -> CodesToSound:
        receiver = self.receiver if usual else self.own_decoder
        time_major = _time_major(use, receiver)
        if time_major:
            pack_weights(receiver)
        return CodesToSound(
            self.autoencoder.quantizer,
            receiver,
            self.sound_to_codes(use).warm_up_codes,
            "replicate" if self.config.start == "replicate" else "zeros",
            time_major=time_major,
        )


def open(checkpoint: Checkpoint, placement: Placement) -> AudioDec:
    """Open an AudioDec checkpoint: encoder, codebooks and receivers.

    Raises:
        CheckpointError: the tensors do not fit the networks.
        SettingsError: the settings are of no AudioDec.
    """
    config = CodecConfig.from_mapping(checkpoint.config)
    name, tensors = checkpoint.name, checkpoint.tensors
    own = {n: tensor for n, tensor in tensors.items() if not n.startswith(VOCODER_PREFIX)}
    autoencoder = filled_module(lambda: _coder(config), own, name)
    vocoder = None
    if config.vocoder is not None:
        cut, settings = len(VOCODER_PREFIX), config.vocoder
        theirs = {n[cut:]: tensors[n] for n in tensors.keys() - own.keys()}
        vocoder = filled_module(lambda: Vocoder(settings), theirs, name)
    return AudioDec(name, config, autoencoder, vocoder, placement)


def _time_major(use: Use, network: nn.Module) -> bool:
    """Return whether a network's streams of this use are faster when they are time-major."""
    return use == "live" or serves(network)


def _coder(config: CodecConfig) -> Autoencoder | SpectralCodec:
    coder = config.autoencoder
    if isinstance(coder, AutoencoderConfig):
        return Autoencoder(coder)
    return SpectralCodec(coder, config.rate)


def codebook_hash(quantizer: Quantizer) -> str:
    """Return the first 16 hex digits of the codebooks' sha256.

    Of float32, little endian, in the order of the stages. Who shares it can decode the codes.
    """
    digest = sha256()
    for name, tensor in quantizer.state_dict().items():
        if name.endswith("embed"):
            digest.update(tensor.cpu().numpy().astype("<f4").tobytes())
    return digest.hexdigest()[:16]


def _check(name: str, config: CodecConfig, receiver_hop: int) -> None:
    autoencoder = config.autoencoder
    if not isinstance(autoencoder, AutoencoderConfig):
        return
    if autoencoder.mode != "causal":
        raise CheckpointError(f"{name}: not causal: it cannot stream: choose another model")
    if (autoencoder.input_channels, autoencoder.output_channels) != (1, 1):
        raise CheckpointError(f"{name}: codes several channels jointly: choose another model")
    if receiver_hop != autoencoder.hop:
        raise CheckpointError(
            f"{name}: its receiver makes {receiver_hop} samples of a frame, not {autoencoder.hop}: "
            "choose the vocoder that belongs to the encoder"
        )

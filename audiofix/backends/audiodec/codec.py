"""AudioDec as a codec: any rate in, codes in between, the model's rate out."""

from hashlib import sha256

from torch import Tensor

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.autoencoder import Autoencoder, Decoder
from audiofix.backends.audiodec.config import VOCODER_PREFIX, CodecConfig
from audiofix.backends.audiodec.inference import CodesToSound, SoundToCodes
from audiofix.backends.audiodec.quantizer import Quantizer
from audiofix.backends.audiodec.roundtrip import RoundTrip
from audiofix.backends.audiodec.stream import StreamDecoder, StreamEncoder
from audiofix.backends.audiodec.vocoder import Vocoder
from audiofix.backends.base import Use
from audiofix.backends.placement import Placement
from audiofix.backends.weights import Checkpoint, fill_module
from audiofix.codes.layout import CodeLayout
from audiofix.errors import CheckpointError, UsageError
from audiofix.nn.conv import prepare_streams
from audiofix.streaming.chain import Chain
from audiofix.streaming.fit import Fit
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import Stage

BLOCK_FRAMES: dict[Use, int] = {"file": 8, "live": 1}
"""Frames that a network is called with: for speed (more gain nothing), or for the least delay."""


class AudioDec:
    """A loaded AudioDec. Holds weights; each stream's state is in its own encoder or decoder.

    A stream's bits depend on its use, "file" or "live", and on nothing else.
    """

    def __init__(
        self,
        name: str,
        config: CodecConfig,
        autoencoder: Autoencoder,
        vocoder: Vocoder | None,
        placement: Placement,
    ) -> None:
        """Ready the networks for streams, in place.

        Args:
            name: of the model.
            config: of the networks and of how streams begin.
            autoencoder: the encoder and its codebooks; and the receiver, if there is no vocoder.
            vocoder: the receiver.
            placement: where to compute. The receiver takes its precision; codes are always
                searched in float32, or they would be others.

        Raises:
            CheckpointError: the networks cannot stream, or do not fit each other.
        """
        receiver: Decoder | Vocoder = autoencoder.decoder if vocoder is None else vocoder
        _check(name, config, receiver.hop)
        for network in (autoencoder, receiver):
            prepare_streams(network.eval().requires_grad_(False).to(placement.device))
        quantizer = autoencoder.quantizer
        self.name = name
        self.layout = CodeLayout(
            model=name,
            checkpoint=codebook_hash(quantizer),
            rate=config.rate,
            channels=1,
            hop=config.autoencoder.hop,
            codebooks=config.autoencoder.codebook_num,
            bits=(config.autoencoder.codebook_size - 1).bit_length(),
        )
        self.sound_to_codes = SoundToCodes(autoencoder, config.warm_up_frames)
        self.codes_to_sound = CodesToSound(
            quantizer,
            receiver.to(placement.dtype),
            self.sound_to_codes.warm_up_codes,
            "replicate" if config.start == "replicate" else "zeros",
        )

    def encoder(self, source: AudioFormat, use: Use = "file") -> StreamEncoder:
        """Return a fresh encoder for one stream of this format, of any rate and channels."""
        frames = BLOCK_FRAMES[use]
        return StreamEncoder(self.sound_to_codes, source, rate=self.layout.rate, frames=frames)

    def decoder(self, channels: int = 1, use: Use = "file") -> StreamDecoder:
        """Return a fresh decoder for one stream; its sound has the model's rate."""
        return StreamDecoder(self.codes_to_sound, channels, frames=BLOCK_FRAMES[use])

    def roundtrip(self, source: AudioFormat, use: Use = "file") -> Stage:
        """Return a fresh stage that encodes and decodes, its result of the source's format."""
        model = AudioFormat(self.layout.rate, source.channels)
        # Blocks of encoder and decoder need not meet: the sound waits for one of each.
        latency = 2 * self.layout.hop * BLOCK_FRAMES[use] if use == "file" else 0
        trip = RoundTrip(
            model, self.encoder(model, use), self.decoder(model.channels, use), latency
        )
        if source == model:
            return trip
        there, back = Resample(source, model.rate), Resample(model, source.rate)
        return Fit(Chain(there, trip, back))


def codec(checkpoint: Checkpoint, placement: Placement, *, vocoder: bool | None = None) -> AudioDec:
    """Open an AudioDec checkpoint.

    Args:
        checkpoint: encoder, codebooks and receivers.
        placement: where to compute.
        vocoder: whether to decode by its vocoder or by its own decoder; None takes the vocoder
            where there is one.

    Raises:
        UsageError: it has no vocoder.
        CheckpointError: the tensors do not fit the networks.
        SettingsError: the settings are of no AudioDec.
    """
    config = CodecConfig.from_mapping(checkpoint.config)
    tensors = {True: dict[str, Tensor](), False: dict[str, Tensor]()}
    for name, tensor in checkpoint.tensors.items():
        tensors[name.startswith(VOCODER_PREFIX)][name.removeprefix(VOCODER_PREFIX)] = tensor
    autoencoder = Autoencoder(config.autoencoder)
    fill_module(autoencoder, tensors[False], checkpoint.name)
    receiver = None
    if vocoder and config.vocoder is None:
        raise UsageError(f"--vocoder: {checkpoint.name} has none: leave it out")
    if config.vocoder is not None and vocoder is not False:
        receiver = Vocoder(config.vocoder)
        fill_module(receiver, tensors[True], checkpoint.name)
    return AudioDec(checkpoint.name, config, autoencoder, receiver, placement)


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
    if autoencoder.mode != "causal":
        raise CheckpointError(f"{name}: not causal: it cannot stream: choose another model")
    if (autoencoder.input_channels, autoencoder.output_channels) != (1, 1):
        raise CheckpointError(f"{name}: codes several channels jointly: choose another model")
    if receiver_hop != autoencoder.hop:
        raise CheckpointError(
            f"{name}: its receiver makes {receiver_hop} samples of a frame, not {autoencoder.hop}: "
            "choose the vocoder that belongs to the encoder"
        )

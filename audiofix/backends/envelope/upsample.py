"""The envelope model as a restorer: any rate in, any rate out, in bounded memory."""

from audiofix.audio.format import AudioFormat
from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.images import WithImages
from audiofix.backends.envelope.network import EnvelopeNetwork
from audiofix.backends.envelope.stage import Band, EnvelopeStage
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.upsampling import check_request, refuse_steps
from audiofix.backends.weights import Checkpoint, filled_module
from audiofix.nn.conv import pack_weights
from audiofix.streaming.chain import Chain
from audiofix.streaming.resample import Resample
from audiofix.streaming.stage import Stage

_PATIENCE_SECONDS = 2.0
_IMPATIENT_SHARE = 0.7
"""Of the result's rate: whoever gives less means the band that the rates leave empty, and need not
wait until the band's end is found."""

_BLOCK_SECONDS = 0.01


def open(checkpoint: Checkpoint, placement: Placement) -> "EnvelopeRestorer":
    """Open an envelope checkpoint.

    Raises:
        CheckpointError: the tensors do not fit the network.
    """
    config = dict(checkpoint.config)
    config.pop("rate", None)
    settings = EnvelopeConfig.from_mapping(config)
    network = filled_module(lambda: EnvelopeNetwork(settings), checkpoint.tensors, checkpoint.name)
    network = network.eval().requires_grad_(False).to(placement.device)
    return EnvelopeRestorer(checkpoint.name, network, placement)


class EnvelopeRestorer:
    """A loaded envelope model. Holds weights; each stream's state is in its own stage."""

    def __init__(self, name: str, network: EnvelopeNetwork, placement: Placement) -> None:
        """Wrap a network that is in eval mode on its device."""
        pack_weights(network)
        self.name = name
        self.rate = round(2 * network.config.top_hz)
        self.network = network
        self.placement = placement

    def stage(self, source: AudioFormat, request: UpsampleRequest) -> Stage:
        """Return a fresh stage: to the wanted rate, where the model works.

        Raises:
            UsageError: the request has settings that the model does not know or that make no sense.
            InputError: the source's rate is too low.
        """
        refuse_steps(self.name, request)
        check_request(source, request)
        audio = AudioFormat(request.to_rate, source.channels)
        hurried = source.rate < _IMPATIENT_SHARE * request.to_rate
        patience = 0 if hurried else round(_PATIENCE_SECONDS * request.to_rate)
        highest_hz = min(source.rate, request.to_rate) / 2
        band = Band(request.to_rate, highest_hz, request.cutoff_hz, patience=patience)
        own = EnvelopeStage(self.network, self.placement, audio, band, request.seed)
        return Chain(*_raised(source, request.to_rate, whole=highest_hz < own.top_hz), own)


def _raised(source: AudioFormat, rate: int, *, whole: bool) -> list[Stage]:
    """Return what brings a stream to another rate.

    Args:
        source: its format.
        rate: that it shall have.
        whole: whether its band must be kept to the very end; there may be images above it.
    """
    if not whole:
        return [Resample(source, rate)] if rate != source.rate else []
    if rate % source.rate == 0:
        return [WithImages(source, rate // source.rate)]
    doubled = WithImages(source, 2)
    return [doubled, Resample(doubled.result, rate, block_seconds=_BLOCK_SECONDS)]

"""Start an autoencoder as the best linear transform codec of its size, instead of at random.

The strided convolutions of the plain architecture (`codec = "audiodec"`) have no activation between
them, and its residual units pass their input on. So a network can begin as a linear transform: the
encoder lays the samples of a frame out over its channels, the projector takes their principal
components, and the decoder goes back the same way. Training then starts from intelligible sound.
Components are scaled by a power of their deviation, so that a quantiser's noise follows the
spectrum of speech part of the way, as the ear wants it (noise shaping).
The output is one frame late, because a code ends at the first sample of its own frame
(specification, section 8).
"""

import torch
from torch import Tensor, nn

from audiofix.backends.audiodec.autoencoder import Autoencoder, DecoderBlock, EncoderBlock
from audiofix.errors import SettingsError

_NOISE = 0.1
"""Part of the decoder's usual random weights that stays, so that unused channels can learn. The
encoder keeps none: it is meant to stay as it is."""


@torch.no_grad()
def start_as_transform(codec: Autoencoder, frames: Tensor, shaping: float = 0.0) -> None:
    """Set the weights, in place.

    Args:
        codec: of the plain, causal, mono family.
        frames: sound, `[frames, hop]`, many more than `hop`.
        shaping: 0 for a quantiser's noise of equal strength in all components, 1 for noise in
            proportion to each.

    Raises:
        SettingsError: the architecture has activations in the way, or too few channels.
    """
    config = codec.config
    if config.activated or config.input_channels != 1:
        raise SettingsError("transform_start: needs codec = 'audiodec' with one channel")
    for part, share in ((codec.encoder, 0.0), (codec.projector, 0.0), (codec.decoder, _NOISE)):
        for parameter in part.parameters():
            parameter.mul_(share)
    components = _principal_components(frames, config.code_dim)
    scales = (frames @ components.t()).std(0)[:, None] ** shaping
    _begin_encoder(codec.encoder.conv_blocks, codec.encoder.conv.conv.weight)
    project = codec.projector.get_parameter("project.conv.weight")
    project[:, : config.hop, -1] = components / scales
    _begin_decoder(codec, components * scales)


def _principal_components(frames: Tensor, count: int) -> Tensor:
    """Return the strongest directions `[count, hop]` of the frames, orthonormal."""
    _, vectors = torch.linalg.eigh(frames.double().t() @ frames.double())
    strongest: Tensor = vectors.flip(1)[:, :count].t().float()
    return strongest


def _begin_encoder(blocks: nn.ModuleList, first: Tensor) -> None:
    """Let the encoder's channel i hold the frame's sample i."""
    first[0] = 0
    first[0, 0, -1] = 1
    depth = 1  # channels in use so far: samples that one position stands for
    for block in blocks:
        assert isinstance(block, EncoderBlock)
        weight: Tensor = block.conv.conv.weight  # [out, in, 2 * stride]
        stride = weight.shape[2] // 2
        used = depth * stride
        if used > weight.shape[0]:
            raise SettingsError("transform_start: too few channels for the samples of a frame")
        weight[:used] = 0
        for step in range(stride):
            for channel in range(depth):
                weight[step * depth + channel, channel, stride + step] = 1
        depth = used


def _begin_decoder(codec: Autoencoder, components: Tensor) -> None:
    """Lay the channels out as samples again, one frame late."""
    hop = codec.config.hop
    gather = codec.decoder.conv1.conv.weight  # [channels, code_dim, 7]
    gather[:hop] = 0
    # Frame j's block begins with the last sample that code j - 1 saw.
    gather[1:hop, :, -1] = components[:, : hop - 1].t()
    gather[0, :, -2] = components[:, hop - 1]
    depth = hop
    for block in codec.decoder.conv_blocks:
        assert isinstance(block, DecoderBlock)
        weight: Tensor = block.conv.deconv.weight  # [in, out, 2 * stride]
        stride = weight.shape[2] // 2
        depth //= stride
        weight[:, :depth] = 0
        for step in range(stride):
            for channel in range(depth):
                weight[step * depth + channel, channel, step] = 1
    last = codec.decoder.conv2.conv.weight  # [1, channels, 7]
    last[:] = 0
    last[0, 0, -1] = 1

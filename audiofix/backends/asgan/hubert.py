"""HuBERT's sixth layer (Hsu et al., 2021): the features that ASGAN's published model makes.

The network is torchaudio's, filled from fairseq's names. Specification, section 5: the sound is
used as it is, and the features are taken behind the layer's last normalisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from audiofix.backends.weights import fill_module
from audiofix.errors import CheckpointError, DeviceError

RATE = 16000
HOP = 320
_LONGEST = 1_600_000
"""Samples that are analysed at once; longer sound is cut, as the authors do."""

_CONVOLUTIONS = ((10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2)
"""Kernel and stride of each."""

_HEAD_WIDTH = 64
"""Numbers of a feature that one head of attention sees, in every HuBERT that was published."""

_UNUSED = ("mask_emb", "label_embs_concat", "final_proj.")
"""Tensors that only HuBERT's own training needs."""

_NAMES = (
    ("feature_extractor.conv_layers.0.2.", "feature_extractor.conv_layers.0.layer_norm."),
    ("post_extract_proj.", "encoder.feature_projection.projection."),
    ("encoder.pos_conv.0.bias", "encoder.transformer.pos_conv_embed.conv.bias"),
    (
        "encoder.pos_conv.0.weight_g",
        "encoder.transformer.pos_conv_embed.conv.parametrizations.weight.original0",
    ),
    (
        "encoder.pos_conv.0.weight_v",
        "encoder.transformer.pos_conv_embed.conv.parametrizations.weight.original1",
    ),
    ("encoder.layer_norm.", "encoder.transformer.layer_norm."),
    ("encoder.layers.", "encoder.transformer.layers."),
    ("layer_norm.", "encoder.feature_projection.layer_norm."),
)
"""Beginnings of fairseq's names, and torchaudio's; the first that fits is taken."""

_PARTS = (
    (".self_attn_layer_norm.", ".layer_norm."),
    (".self_attn.", ".attention."),
    (".fc1.", ".feed_forward.intermediate_dense."),
    (".fc2.", ".feed_forward.output_dense."),
)


@dataclass(frozen=True, slots=True)
class HubertConfig:
    """One HuBERT. The defaults are the base model.

    Attributes:
        conv_dim: channels of the convolutions.
        embed: length of a feature.
        heads: of attention.
        ffn: width inside a layer.
        layers: of the transformer.
        pos_groups: groups of the positional convolution.
        pos_kernel: its kernel, in frames.
        output_layer: the layer whose result is taken, counted from 1.
    """

    conv_dim: int = 512
    embed: int = 768
    heads: int = 12
    ffn: int = 3072
    layers: int = 12
    pos_groups: int = 16
    pos_kernel: int = 128
    output_layer: int = 6


class Hubert(nn.Module):
    """Sound at 16 kHz to features at 50 Hz."""

    def __init__(self, config: HubertConfig) -> None:
        """Make the network with fresh weights, without the layers behind the one that is taken.

        Raises:
            DeviceError: torchaudio is missing, or does not fit this torch.
        """
        super().__init__()
        self.config = config
        self.network = _torchaudio_models().wav2vec2_model(
            extractor_mode="group_norm",
            extractor_conv_layer_config=[
                (config.conv_dim, kernel, stride) for kernel, stride in _CONVOLUTIONS
            ],
            extractor_conv_bias=False,
            encoder_embed_dim=config.embed,
            encoder_projection_dropout=0.0,
            encoder_pos_conv_kernel=config.pos_kernel,
            encoder_pos_conv_groups=config.pos_groups,
            encoder_num_layers=config.output_layer,
            encoder_num_heads=config.heads,
            encoder_attention_dropout=0.0,
            encoder_ff_interm_features=config.ffn,
            encoder_ff_interm_dropout=0.0,
            encoder_dropout=0.0,
            encoder_layer_norm_first=False,
            encoder_layer_drop=0.0,
            aux_num_out=None,
        )

    def load_fairseq(self, tensors: Mapping[str, Tensor], name: str) -> None:
        """Put the tensors of a fairseq checkpoint into their places.

        Args:
            tensors: the checkpoint's entry `model`.
            name: of the checkpoint, for messages.

        Raises:
            CheckpointError: they do not fit.
        """
        renamed = {}
        for fairseq, tensor in tensors.items():
            layer = fairseq.removeprefix("encoder.layers.").partition(".")[0]
            beyond = layer.isdigit() and int(layer) >= self.config.output_layer
            if not fairseq.startswith(_UNUSED) and not beyond:
                renamed[_torchaudio_name(fairseq)] = tensor
        fill_module(self.network, renamed, name)

    def forward(self, sound: Tensor, *, batched_padding: bool = False) -> Tensor:
        """Return features `[batch, frames, embed]` of sound `[batch, samples]`.

        Args:
            sound: at 16 kHz, used as it is.
            batched_padding: pad as the authors' reader of batches does, which differs by a frame
                at some lengths; for comparison with features saved by it.
        """
        samples = sound.shape[1]
        counted = len(sound) if batched_padding else samples
        padded = pad(sound, (0, HOP - counted % HOP))
        stretches = [self._features(stretch) for stretch in padded.split(_LONGEST, dim=1)]
        return torch.cat(stretches, dim=1)

    def _features(self, stretch: Tensor) -> Tensor:
        layers, _ = self.network.extract_features(stretch)
        last: Tensor = layers[self.config.output_layer - 1]
        return last


def hubert_of(tensors: Mapping[str, Tensor], name: str) -> Hubert:
    """Return a HuBERT, in eval mode, of a fairseq checkpoint's tensors, whose shapes say its size.

    Args:
        tensors: the checkpoint's entry `model`.
        name: of the checkpoint, for messages.

    Raises:
        CheckpointError: they are not HuBERT's.
        DeviceError: torchaudio is missing, or does not fit this torch.
    """
    try:
        embed, grouped, kernel = tensors["encoder.pos_conv.0.weight_v"].shape
        config = HubertConfig(
            conv_dim=len(tensors["feature_extractor.conv_layers.0.0.weight"]),
            embed=embed,
            heads=max(1, embed // _HEAD_WIDTH),
            ffn=len(tensors["encoder.layers.0.fc1.weight"]),
            pos_groups=embed // grouped,
            pos_kernel=kernel,
        )
    except (LookupError, ValueError) as error:
        raise CheckpointError(f"{name}: holds no HuBERT under fairseq's names") from error
    hubert = Hubert(config)
    hubert.load_fairseq(tensors, name)
    return hubert.eval().requires_grad_(False)


def _torchaudio_name(fairseq: str) -> str:
    name = fairseq
    for old, new in _NAMES:
        if fairseq.startswith(old):
            name = new + fairseq.removeprefix(old)
            break
    else:
        # The convolutions: their place in a list becomes a name.
        name = fairseq.replace(".0.weight", ".conv.weight")
    for old, new in _PARTS:
        name = name.replace(old, new)
    return name


def _torchaudio_models() -> ModuleType:
    try:
        from torchaudio import models
    except (ImportError, OSError) as error:
        raise DeviceError(
            f"HuBERT: torchaudio cannot be loaded ({error}): install the torchaudio that belongs "
            f"to torch {torch.__version__}: pip install 'audiofix[speech]'"
        ) from error
    return models  # type: ignore[no-any-return]

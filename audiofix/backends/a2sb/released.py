"""Reading of the authors' files: one network, or a pair of them, in training checkpoints."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from audiofix.backends.a2sb.config import A2SB_RELEASE, UNetConfig
from audiofix.backends.a2sb.networks import PARTS
from audiofix.backends.released_files import read_released, tensors_in
from audiofix.errors import CheckpointError

_PREFIX = "vf_model."
_MULTIPLIERS = "t_to_emb.multipliers"
_PAIR_CUTOFF = 0.5
"""The time from which on the pair's second network is called."""


def recognise(tensors: Mapping[str, Tensor]) -> bool:
    """Tell an A2SB by the names of its tensors."""
    names = {name.removeprefix(_PREFIX) for name in tensors}
    return {"input_projection.weight", "ds_layers.0.op.weight", "us_layers.0.conv.weight"} <= names


def read(parts: Mapping[str, Path]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return the settings and tensors of a released model.

    Args:
        parts: the file `weights`; or `early` and `late`, the networks for t < 0.5 and above.

    Raises:
        CheckpointError: a file is damaged, or is no A2SB, or both are not alike.
    """
    if "weights" in parts:
        config, tensors = _network(parts["weights"])
        return {"net": asdict(config)}, tensors
    networks = [_network(parts[part.rstrip(".")]) for part in PARTS]
    configs = [config for config, _ in networks]
    if configs[0] != configs[1]:
        raise CheckpointError("A2SB: the two networks are not of one size: fetch them again")
    tensors = {
        part + name: tensor
        for part, (_, own) in zip(PARTS, networks, strict=True)
        for name, tensor in own.items()
    }
    return {"net": asdict(configs[0]), "t_cutoffs": [_PAIR_CUTOFF]}, tensors


def _network(path: Path) -> tuple[UNetConfig, dict[str, Tensor]]:
    tensors = tensors_in(read_released(path))
    if not recognise(tensors):
        raise CheckpointError(f"{path}: no A2SB: name another file")
    multipliers = tensors.pop(_MULTIPLIERS, None)
    own = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    emb_channels = A2SB_RELEASE.emb_channels if multipliers is None else 2 * multipliers.shape[-1]
    return _config_of(own, emb_channels), own


def _config_of(tensors: Mapping[str, Tensor], emb_channels: int) -> UNetConfig:
    """Return the sizes of a network; its heads, which no tensor tells, are the released ones."""
    levels = sum(name.endswith(".op.weight") for name in tensors)
    widths = [tensors["input_projection.weight"].shape[0]]
    widths += [tensors[f"ds_layers.{level}.op.weight"].shape[0] for level in range(levels)]
    condition = tensors["enc_blocks.0.0.emb_layers.1.weight"].shape[1]
    attending = {int(n.split(".")[1]) for n in tensors if _is(n, "enc_blocks.", "q_proj.weight")}
    residual = [n for n in tensors if _is(n, "enc_blocks.0.", "out_norm.weight")]
    return UNetConfig(
        n_updown_levels=levels,
        in_channels=tensors["input_projection.weight"].shape[1],
        hidden_channels=tuple(widths),
        out_channels=tensors["output_projection.2.weight"].shape[0],
        emb_channels=emb_channels,
        band_embedding_dim=condition - emb_channels,
        attention_levels=tuple(sorted(attending)),
        use_attn_input_norm="middle_block.1.gnorm.weight" in tensors,
        num_res_blocks=len(residual),
    )


def _is(name: str, start: str, end: str) -> bool:
    return name.startswith(start) and name.endswith(end)

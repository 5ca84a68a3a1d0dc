"""Reading of AudioDec's released files: an encoder, a receiver, and their configurations."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from torch import Tensor

from audiofix.backends.audiodec.config import VOCODER_PREFIX
from audiofix.backends.released_files import read_released, tensors_in
from audiofix.errors import CheckpointError

_DECODER = "decoder."
_HISTORY = "pad_buffer"
"""What some stream left behind in the published state dicts; of no use to any other."""


def recognise(tensors: Mapping[str, Tensor]) -> bool:
    """Tell an AudioDec autoencoder by the names of its tensors."""
    return "quantizer.codebook.layers.0.embed" in tensors


def read(parts: Mapping[str, Path]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return the settings and tensors of a codec, joined from the files it was published in.

    Encoder and codebooks come from one file. The decoder is of the same configuration, trained
    longer; without it, it is the encoder file's own. A vocoder may be there beside it.

    Args:
        parts: files `encoder` and `config`, perhaps `decoder`, perhaps `vocoder` and
            `vocoder_config`. Or `weights` alone: an encoder, whose `config.yml` lies beside it.

    Raises:
        CheckpointError: a file is missing or damaged, or is no such part.
    """
    if "weights" in parts:
        parts = {"encoder": parts["weights"], "config": parts["weights"].with_name("config.yml")}
    for needed in ("encoder", "config"):
        if needed not in parts:
            raise CheckpointError(f"AudioDec: the {needed} file is missing: fetch it again")
    tree = _tree(parts["config"])
    config: dict[str, object] = {"autoencoder": _generator_table(parts["config"], tree)}
    if isinstance(tree.get("sampling_rate"), int):
        config["rate"] = tree["sampling_rate"]
    tensors = _state(parts["encoder"])
    if "vocoder" in parts:
        config["vocoder"] = _generator_table(
            parts["vocoder_config"], _tree(parts["vocoder_config"])
        )
        vocoder = _state(parts["vocoder"])
        tensors |= {VOCODER_PREFIX + name: tensor for name, tensor in vocoder.items()}
    if "decoder" in parts:
        decoder = _state(parts["decoder"])
        # Only the decoder: its codebooks may have moved on from those that the encoder was
        # trained with.
        tensors |= {n: tensor for n, tensor in decoder.items() if n.startswith(_DECODER)}
    return config, tensors


def _state(path: Path) -> dict[str, Tensor]:
    return {
        n: tensor
        for n, tensor in tensors_in(read_released(path)).items()
        if not n.endswith(_HISTORY)
    }


def _tree(path: Path) -> dict[str, object]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f"{path}: {error.strerror}: put the authors' configuration there"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a configuration: fetch it again") from error
    return tree if isinstance(tree, dict) else {}


def _generator_table(path: Path, tree: Mapping[str, object]) -> dict[str, object]:
    table = tree.get("generator_params")
    if not isinstance(table, dict):
        raise CheckpointError(f"{path}: holds no generator_params: fetch it again")
    # What training read its statistics from; the checkpoint holds them.
    return {name: value for name, value in table.items() if name != "stats"}

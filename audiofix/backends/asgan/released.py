"""Reading of ASGAN's released files: a generator with its settings, and a vocoder.

Specification, section 1.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import yaml
from torch import Tensor

from audiofix.backends.asgan.config import (
    MEL_VOCODER,
    ClassifierConfig,
    GeneratorConfig,
    VocoderConfig,
)
from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.asgan.package import read_package
from audiofix.backends.released_files import read_released, tensors_in
from audiofix.errors import CheckpointError, SettingsError

GENERATOR_PREFIX = "generator."
VOCODER_PREFIX = "vocoder."
CLASSIFIER_PREFIX = "classifier."
"""Of the tensors in a checkpoint."""

_AVERAGE, _CONFIG, _TABLE = "g_ema_state_dict", "cfg_yaml", "rp_w_cfg"
_FOLDED = (
    (".parametrizations.weight.original0", ".weight_g"),
    (".parametrizations.weight.original1", ".weight_v"),
)
"""torch's newer names of weight norm, and the authors'."""


def recognise(tensors: Mapping[str, Tensor]) -> bool:
    """Tell an ASGAN generator, or the classifier of digits, by the names of its tensors."""
    return _is_classifier(tensors) or {"preconv.weight", "W.fcs.0.weight"} <= tensors.keys()


def read(parts: Mapping[str, Path]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return the settings and tensors of a generator with its vocoder, or of a classifier.

    Args:
        parts: files `generator` and `vocoder`, or `weights` alone: a classifier, or a generator of
            mel spectra, which can do without a vocoder. A vocoder of mel spectra is a state dict,
            that of HuBERT features a package.

    Raises:
        CheckpointError: a file is missing or damaged, is no such part, or the generator's settings
            contradict its tensors.
    """
    path = parts.get("generator") or parts.get("weights")
    if path is None:
        raise CheckpointError("ASGAN: the generator file is missing: fetch it again")
    content = read_released(path)
    state = tensors_in(content)
    if _is_classifier(state):
        return _classifier(state)
    if _AVERAGE not in content:
        raise CheckpointError(f"{path}: no ASGAN generator (no {_AVERAGE}): name another file")
    table, kind = _settings(path, content.get(_CONFIG))
    _check_shapes(path, table, state)
    config: dict[str, object] = {"generator": table, "rate": 16000}
    tensors = {GENERATOR_PREFIX + name: tensor for name, tensor in state.items()}
    if kind != "hubert":
        config["mel"] = asdict(MelConfig())
    elif "vocoder" not in parts:
        raise CheckpointError(f"{path}: needs the vocoder of its HuBERT features: pull the model")
    if "vocoder" in parts:
        bands = state["head.conv.weight"].shape[0]
        config["vocoder"], vocoder = _vocoder(parts["vocoder"], bands)
        tensors |= {VOCODER_PREFIX + name: tensor.float() for name, tensor in vocoder.items()}
    return config, tensors


def _is_classifier(tensors: Mapping[str, Tensor]) -> bool:
    return "conv_1_3x3.weight" in tensors


def _classifier(state: Mapping[str, Tensor]) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return what the shapes say of a ResNeXt, and its tensors without counters."""
    labels, width = state["classifier.weight"].shape
    stage = "stage_1.stage_1_bottleneck_"
    group_width = state[f"{stage}0.conv_conv.weight"].shape[1]
    config = ClassifierConfig(
        nlabels=labels,
        cardinality=state[f"{stage}0.conv_conv.weight"].shape[0] // group_width,
        depth=9 * sum(n.startswith(stage) and n.endswith("conv_conv.weight") for n in state) + 2,
        base_width=group_width,
        widen_factor=width // 256,
        in_channels=state["conv_1_3x3.weight"].shape[1],
    )
    tensors = {CLASSIFIER_PREFIX + name: tensor for name, tensor in state.items()}
    return {"classifier": asdict(config), "rate": 16000}, tensors


def _settings(path: Path, text: object) -> tuple[dict[str, object], str]:
    """Return the generator's settings, and the kind of its features."""
    try:
        tree = yaml.safe_load(text) if isinstance(text, str) else None
    except yaml.YAMLError as error:
        raise CheckpointError(f"{path}: its settings are no YAML: fetch it again") from error
    table = tree.get(_TABLE) if isinstance(tree, dict) else None
    if not isinstance(table, dict):
        raise CheckpointError(f"{path}: has no settings {_CONFIG}, {_TABLE}: fetch it again")
    known = {field.name for field in fields(GeneratorConfig)}
    settings = {name: value for name, value in table.items() if name in known}
    return settings, str(tree.get("data_type", "hubert")) if isinstance(tree, dict) else "hubert"


def _check_shapes(path: Path, table: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Refuse settings that the tensors contradict.

    Raises:
        CheckpointError: names the setting.
    """
    try:
        config = GeneratorConfig.from_mapping(table)
    except SettingsError as error:
        raise CheckpointError(f"{path}: {error}") from error
    said = {
        "z_dim": (config.z_dim, _size(tensors, "W.fcs.0.weight", 1)),
        "w_dim": (config.w_dim, _size(tensors, "W.fcs.0.weight", 0)),
        "c_dim": (config.c_dim, _size(tensors, "head.conv.weight", 0)),
        "ff_channels": (config.ff_channels, _size(tensors, "preconv.weight", 0)),
        "w_layers": (config.w_layers, sum(n.startswith("W.fcs.") for n in tensors) // 2 - 1),
        "use_sg3_ff": (config.use_sg3_ff, "ff.freqs" in tensors),
        "layer_specs": (
            [spec[0] for spec in config.layer_specs],
            [
                _size(tensors, f"layers.{number}.conv.weight", 0)
                for number in range(sum(n.endswith(".norm_ema") for n in tensors) - 1)
            ],
        ),
    }
    for name, (stated, found) in said.items():
        if stated != found:
            raise CheckpointError(
                f"{path}: its settings say {name} {stated}, its tensors {found}: fetch it again"
            )


def _size(tensors: Mapping[str, Tensor], name: str, axis: int) -> int | None:
    return tensors[name].shape[axis] if name in tensors else None


def _vocoder(path: Path, features: int) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Return the settings and tensors of a vocoder, whichever of the two it is."""
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    settings: Mapping[str, object] = {}
    if zipped and _is_package(path):
        tensors, settings = read_package(path)
    else:
        tensors = tensors_in(read_released(path))
    for new, old in _FOLDED:
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    tensors = {n: t for n, t in tensors.items() if not _is_stale(n, tensors)}
    if "conv_pre.bias" not in tensors:
        raise CheckpointError(f"{path}: no HiFi-GAN: name the vocoder's file")
    projected = "lin_pre.weight" in tensors
    known = {field.name for field in fields(VocoderConfig)}
    table = asdict(VocoderConfig() if projected else MEL_VOCODER)
    table |= {name: value for name, value in settings.items() if name in known}
    table["upsample_initial_channel"] = tensors["conv_pre.bias"].shape[0]
    if projected:
        table["hifi_dim"], table["hubert_dim"] = tensors["lin_pre.weight"].shape
    else:
        table["in_channels"] = features
    return table, tensors


def _is_package(path: Path) -> bool:
    """Tell a torch.package archive from a state dict, which is a zip too."""
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/.data/version") for name in archive.namelist())


def _is_stale(name: str, tensors: Mapping[str, Tensor]) -> bool:
    """Tell the plain weight that a layer with weight norm carries beside it."""
    stem = name.removesuffix(".weight")
    return stem != name and f"{stem}.weight_g" in tensors

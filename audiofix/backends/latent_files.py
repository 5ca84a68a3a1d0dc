"""Latents on disk: safetensors or npz, an array `z` or `w`; or npy, which is `z`."""

import io
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from audiofix.backends.tasks import LatentKind, Latents
from audiofix.errors import InputError, UsageError
from audiofix.files import check_new_file, write_bytes

_KINDS: tuple[LatentKind, ...] = ("z", "w")
_ENDINGS = (".safetensors", ".npz", ".npy")


def read_latents(path: Path) -> Latents:
    """Return the latents in a file.

    Raises:
        InputError: it cannot be read, holds no array `z` or `w`, or one that is no latents.
    """
    try:
        arrays = _arrays(path)
    except (OSError, ValueError, SafetensorError, EOFError, KeyError) as error:
        raise InputError(f"{path}: no latents ({error}): name a .safetensors or .npz file") from (
            error
        )
    for kind in _KINDS:
        if kind in arrays:
            return _checked(path, kind, arrays[kind])
    raise InputError(f"{path}: holds no array z or w: save latents with --save-latents")


def write_latents(path: Path, latents: Latents, *, overwrite: bool = False) -> None:
    """Write latents, under a temporary name first.

    Raises:
        UsageError: the name has another ending than `.safetensors`, `.npz` or `.npy`, or the last
            one and latents that are not Gaussian vectors.
        OutputError: the file exists and may not be replaced, or cannot be written.
    """
    check_latents_file(path, overwrite=overwrite)
    values = np.ascontiguousarray(latents.values)
    if path.suffix == ".npy" and latents.kind != "z":
        raise UsageError(f"{path}: cannot say that these are w: use .safetensors or .npz")
    content = io.BytesIO()
    if path.suffix == ".safetensors":
        content.write(safetensors.numpy.save({latents.kind: values}))
    elif path.suffix == ".npz":
        np.savez(content, **{latents.kind: values})  # type: ignore[arg-type]
    else:
        np.save(content, values)
    write_bytes(path, content.getvalue(), overwrite=overwrite)


def check_latents_file(path: Path, *, overwrite: bool) -> None:
    """Find out what `write_latents` would refuse, before work is done; see there."""
    if path.suffix not in _ENDINGS:
        raise UsageError(f"{path}: latents are saved as {', '.join(_ENDINGS)}: choose one")
    check_new_file(path, overwrite=overwrite)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".safetensors":
        return safetensors.numpy.load_file(path)
    content = np.load(path, allow_pickle=False)
    if isinstance(content, np.ndarray):
        return {"z": content}
    with content:
        return {name: content[name] for name in content.files if name in _KINDS}


def _checked(path: Path, kind: LatentKind, values: np.ndarray) -> Latents:
    if values.ndim not in (2, 3) or not len(values) or values.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: {kind} of shape {list(values.shape)}: must be [recordings, dimensions], or "
            "[recordings, styles, dimensions]"
        )
    if not np.isfinite(values).all():
        raise InputError(f"{path}: {kind} holds NaN or infinity: save it again")
    return Latents(kind, np.ascontiguousarray(values, np.float32))

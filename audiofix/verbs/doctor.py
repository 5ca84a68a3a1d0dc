"""`audiofix doctor`: what this machine offers to audiofix."""

import json
import os
import platform
import shutil
from importlib.util import find_spec

import click

from audiofix.verbs.options import hiding, talkative
from audiofix.version import VERSION

EXAMPLES = (
    ("Everything, for a person", "audiofix doctor"),
    ("For a bug report", "audiofix doctor --json"),
)


EXTRAS = {
    "formats": (("av",), "m4a, aac, wma; compressed audio on pipes"),
    "live": (("sounddevice",), "encode --mic, decode --play"),
    "train": (("h5py", "matplotlib", "tensorboard"), "train"),
    "speech": (("torchaudio",), "features of speech, for training of generators"),
    "eval": (
        ("pesq", "pyloudnorm", "pystoi", "sklearn"),
        "the metrics pesq, loudness and stoi of eval, and linear separability",
    ),
    "cloud": (("aiohttp", "fsspec", "s3fs"), "s3:// and https:// as input and output"),
    "ray": (("ray",), "--ray: batches on a cluster"),
}
"""Extra -> the modules that it installs, and what they are for."""


@hiding("progress")
@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@talkative
def command(as_json: bool) -> None:
    """Tell what this machine offers to audiofix.

    Versions, devices, which selective scan runs, decoders, the checkpoint cache and the
    environment variables that are set. What is missing is said, and is no error; of the optional
    parts of audiofix, in brackets, also what they are for and how to install them.
    """
    found = examine()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        click.echo(f"{name:<12} {_text(value)}")


def examine() -> dict[str, object]:
    """Return what was found, in the order that people read it in."""
    import soundfile
    import soxr
    import torch

    from audiofix.checkpoints.store import cache_folder
    from audiofix.ops.selection import describe

    cache = cache_folder()
    size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    cuda = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return {
        "audiofix": VERSION,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpu": f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads",
        "cuda": cuda or "none",
        "mps": torch.backends.mps.is_available(),
        "scan": describe(),
        "libsndfile": soundfile.__libsndfile_version__,
        "soxr": soxr.__version__,
        "pyav": bool(find_spec("av")) or "missing: pip install 'audiofix[formats]'",
        **{f"[{name}]": _extra(name) for name in EXTRAS},
        "ffmpeg": shutil.which("ffmpeg") or "missing",
        "sox": shutil.which("sox") or "missing",
        "cache": f"{cache} ({size / 1e6:.1f} MB)",
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith("AUDIOFIX_")
        },
    }


def _extra(name: str) -> bool | str:
    """Return True where all modules of an extra are here, else what is missing."""
    modules, purpose = EXTRAS[name]
    missing = [module for module in modules if not find_spec(module)]
    if not missing:
        return True
    return f"missing {', '.join(missing)} (for {purpose}): pip install 'audiofix[{name}]'"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in value.items()) or "none set"
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)

"""The settings that a run was made with, as JSON in its folder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from audiofix.trainers.run_folder import writing_to

from audiofix.audio.bytestream import name_of
from audiofix.files import write_bytes
from audiofix.settings import as_table
from audiofix.version import VERSION

SETTINGS_FILE = "settings.json"
_FREE = (
    "steps", "log_every", "save_every", "validate_every", "keep_best", "patience", "examples",
    "tensorboard", "wandb", "workers", "worker_processes",
)  # fmt: skip
"""Of `loop`: what may change from one part of a run to the next without a word."""


def write_settings(run: Path, system: str, source: Path, settings: Any) -> None:
    """Leave in the run's folder what it was made with."""
    about = {
        "system": system,
        "data": name_of(source),
        "audiofix": VERSION,
        "torch": torch.__version__,
        "settings": as_table(settings),
    }
    with writing_to(run):
        run.mkdir(parents=True, exist_ok=True)
        text = json.dumps(about, indent=2) + "\n"
        write_bytes(run / SETTINGS_FILE, text.encode(), overwrite=True)


def settings_table(text: str) -> dict[str, Any]:
    """Return the settings in the text of a `settings.json`, as `read_settings` reads them."""
    return dict(json.loads(text)["settings"])


def changed_settings(run: Path, settings: Any) -> list[str]:
    """Return the names of settings that the run was not made with, `loop.batch` for example.

    Those that only say how long the run is and what it tells are left out.
    """
    before = dict(_flat(settings_table((run / SETTINGS_FILE).read_text(encoding="utf-8"))))
    now = dict(_flat(as_table(settings)))
    free = {f"loop.{name}" for name in _FREE}
    names = sorted((before.keys() | now.keys()) - free)
    return [name for name in names if before.get(name) != now.get(name)]


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

"""One module a system: what its training does differently. And their presets, in TOML."""

import tomllib
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from audiofix.trainers.data.corpora import shared_out
from audiofix.trainers.distributed import World
from audiofix.trainers.recipe import Recipe
from audiofix.trainers.run_settings import settings_table

from audiofix.backends.system import imported
from audiofix.backends.table import RECIPES
from audiofix.errors import InputError, SettingsError, UsageError
from audiofix.settings import as_table, overlaid, parse_assignment, read_settings


@dataclass(frozen=True, slots=True)
class Plan:
    """A system, and settings for its training."""

    system: str
    settings: Any

    def recipe(self, source: Path, device: torch.device, world: World | None = None) -> Recipe:
        """Return the recipe on the data `source`, with fresh networks on `device`.

        Of several processes, each gets its part of the data where the settings want it.
        """
        loop, world = self.settings.loop, world or World()
        torch.manual_seed(loop.seed)
        share = (world.rank, world.size) if loop.shard_by_rank else (0, 1)
        with shared_out(*share):
            made: Recipe = imported(RECIPES[self.system])(self.settings, source, device)
        return made


def plan(system: str, config: str | None, assignments: tuple[str, ...]) -> Plan:
    """Return what will be trained.

    Args:
        system: a key of `RECIPES`.
        config: a preset's name, a TOML file, or the settings.json of another run; None takes the
            preset of the system's name.
        assignments: `key.key=value`, each replaces one setting.

    Raises:
        UsageError: the system or preset is unknown, or a package for training is missing.
        SettingsError: a setting is unknown or has a wrong value.
    """
    check_system(system)
    table = _table(config or system)
    for word in assignments:
        table = overlaid(table, parse_assignment(word))
    try:
        settings = import_module(RECIPES[system].partition(":")[0]).Settings
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name}: not installed: pip install 'audiofix[train]'") from error
    return Plan(system, read_settings(settings, table))


def check_system(name: str) -> None:
    """Raise UsageError where no recipe has this name."""
    if name not in RECIPES:
        raise UsageError(f"train {name}: unknown: use one of {', '.join(RECIPES)}")


def agreed(own: Plan, world: World) -> Plan:
    """Return the main process's settings in every process of a run.

    A resumed run's settings are in its folder, which other machines need not see.
    """
    table = world.broadcast(as_table(own.settings))
    return Plan(own.system, read_settings(type(own.settings), table))


def presets() -> list[str]:
    """Return the names of the presets."""
    found = (path.name for path in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def _table(config: str) -> dict[str, Any]:
    try:
        if config in presets():
            text = (files(__name__) / f"{config}.toml").read_text(encoding="utf-8")
        elif Path(config).is_file():
            text = Path(config).read_text(encoding="utf-8")
        else:
            raise UsageError(
                f"--config {config}: neither a file nor a preset: use {', '.join(presets())}"
            )
        if config.endswith(".json"):
            return settings_table(text)
        return tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{config}: {error.strerror}: name a file that can be read") from error
    except (ValueError, LookupError, TypeError) as error:  # TOML's and JSON's errors among them
        raise SettingsError(f"{config}: not settings ({error}): correct it") from error

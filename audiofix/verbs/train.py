"""`audiofix train`: train a system on one's own recordings."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiofix.backends.table import RECIPES
from audiofix.verbs.options import shell, talkative

if TYPE_CHECKING:
    from audiofix.trainers.loop_settings import LoopSettings
    from audiofix.trainers.recipe import Recipe
    from audiofix.trainers.recipes import Plan

log = logging.getLogger(__name__)


def presets() -> list[str]:
    """Return the names of all recipes' presets, without loading a recipe."""
    package = find_spec("audiofix.trainers")
    places = package.submodule_search_locations if package else None
    return sorted(
        path.stem for place in places or () for path in Path(place).glob("recipes/*.toml")
    )


@click.command("train")
@click.argument("system")
@click.option(
    "--data",
    "source",
    required=True,
    metavar="PATH",
    help="A manifest (CSV: split,file_path,duration), VCTK's folder, or any folder of sounds, tar "
    "shards or HDF5. Or a URL.",
)
@click.option(
    "--out",
    "run_folder",
    required=True,
    metavar="FOLDER",
    help="The run's folder: states, checkpoints, log, examples. With --index, the index.",
)
@click.option(
    "--index",
    "index_only",
    is_flag=True,
    help="Only list --data in a new manifest, --out, which later runs take as --data.",
)
@click.option(
    "--config",
    metavar="NAME|FILE",
    help=f"A TOML file, another run's settings.json, or a preset: {', '.join(presets())}.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace one setting, loop.steps=500 say. Repeatable.",
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="auto",
    type=click.Choice(["auto"]),
    help="Go on from the state in --out, if there is one; begin, if there is none.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done: data, parameters, memory, time per step.",
)
@click.option(
    "--device",
    metavar="DEVICE",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda, cuda:N or mps.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads.")
@talkative
def command(
    system: str,
    source: str,
    run_folder: str,
    index_only: bool,
    config: str | None,
    assignments: tuple[str, ...],
    resume: str | None,
    dry_run: bool,
    device: str,
    threads: int | None,
) -> None:
    """Train SYSTEM on recordings.

    SYSTEM is one of {systems}. Its published preset has its name; those for small machines end in
    -small.

    A run can be stopped at any time, by SIGTERM, Ctrl-C or a power cut, and goes on with --resume
    as if it had not stopped. Under torchrun every process takes its share of each batch.
    """
    from audiofix.errors import OutputError
    from audiofix.jobs.options import use_threads

    folder, data = Path(run_folder), Path(source)
    if index_only:
        _make_index(system, data, folder)
        return
    _check_places(source, folder)
    use_threads(threads)  # before torch is loaded
    from audiofix.backends.placement import place
    from audiofix.trainers.distributed import own_device, world_from_environment
    from audiofix.trainers.recipes import plan
    from audiofix.trainers.run_settings import SETTINGS_FILE
    from audiofix.trainers.run_state import STATE_FILE

    is_main = world_from_environment().is_main
    if not is_main:
        shell().configure(quiet=True, verbosity=0, progress=False)
    begun = bool(resume) and (folder / SETTINGS_FILE).exists()
    if begun and config is None:
        config = str(folder / SETTINGS_FILE)
    chosen = plan(system, config, assignments)
    if not (resume or dry_run) and (folder / STATE_FILE).exists():
        raise OutputError(f"{folder}: holds a run: add --resume, or name another --out")
    if not dry_run:
        _train(chosen, data, folder, device, begun=begun)
    elif is_main:
        recipe = chosen.recipe(data, own_device(place(device).device))
        _tell_dry_run(recipe, chosen.settings.loop)


command.help = str(command.help).replace("{systems}", ", ".join(RECIPES))


def _train(chosen: "Plan", data: Path, folder: Path, device: str, *, begun: bool) -> None:
    """Carry a plan out, as one process of as many as torchrun started."""
    from audiofix.backends.placement import place
    from audiofix.trainers.distributed import joined, own_device
    from audiofix.trainers.loop import RESULT_FILE, train
    from audiofix.trainers.recipes import agreed
    from audiofix.trainers.run_settings import changed_settings, write_settings
    from audiofix.trainers.stop_request import StopRequest

    target, stop = own_device(place(device).device), StopRequest()
    with joined(target, stop) as world:
        chosen = agreed(chosen, world)
        recipe, loop = chosen.recipe(data, target, world), chosen.settings.loop
        loop.check_shares(world.size)
        loop.check_networks(recipe.networks)
        if world.is_main:
            if begun and (changed := changed_settings(folder, chosen.settings)):
                log.warning("%s: goes on with other settings: %s", folder, ", ".join(changed))
            write_settings(folder, chosen.system, data, chosen.settings)
        train(recipe, folder, loop, world=world, stop=stop, bar=shell().bar)
    if world.is_main:
        click.echo(f"{folder / RESULT_FILE}", err=True)


def _make_index(system: str, data: Path, index: Path) -> None:
    from audiofix.files import check_new_file
    from audiofix.trainers.data.index import write_index
    from audiofix.trainers.recipes import check_system

    check_system(system)
    check_new_file(index, overwrite=False)
    rows = write_index(data, index, shell().bar)
    click.echo(f"{index}: {rows} recordings", err=True)


def _check_places(source: str, folder: Path) -> None:
    """Refuse data that is not there, and a run's folder inside it, before torch is loaded."""
    from audiofix.audio.remote import url_of
    from audiofix.errors import InputError, UsageError

    data = Path(source)
    if not data.exists() and not url_of(source):
        raise InputError(f"{source}: does not exist: name a folder or a manifest")
    if data.is_dir() and data.resolve() in folder.resolve().parents:
        raise UsageError(f"{folder}: is inside --data, and its sounds would be trained on: move it")


def _tell_dry_run(recipe: "Recipe", loop: "LoopSettings") -> None:
    from audiofix.trainers.distributed import world_from_environment
    from audiofix.trainers.dry_run import dry_run

    for name, value in dry_run(recipe, loop, processes=world_from_environment().size):
        click.echo(f"{name:<24} {value}")

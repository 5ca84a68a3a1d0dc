"""`audiofix train`: train a system on one's own recordings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiofix.verbs.options import Shell, talkative

if TYPE_CHECKING:
    from audiofix.trainers.recipes import Plan

EXAMPLES = (
    ("What would be done, before it is done",
     "audiofix train vmasr --data studio.csv --out run --dry-run"),
    ("A small model, on the CPU",
     "audiofix train vmasr --config vmasr-small --data studio.csv --out run"),
    ("Go on where it stopped, or was stopped", "audiofix train vmasr --data studio.csv --out run "
     "--config vmasr-small --resume"),
    ("Other settings than the preset's",
     "audiofix train vmasr --data VCTK/ --out run --set loop.steps=5000 --set loop.batch=16"),
    ("On four GPUs",
     "torchrun --nproc_per_node 4 -m audiofix train vmasr --data VCTK/ --out run"),
    ("Use what was trained", "audiofix upsample x.wav --to 48k -m run/last.safetensors -o y.wav"),
    ("A codec, whose decoder goes on against discriminators",
     "audiofix train audiodec --config audiodec-2 --data VCTK/ --out run2 "
     "--set start=run/last.safetensors"),
)  # fmt: skip


@click.command("train")
@click.argument("system")
@click.option(
    "--data",
    "source",
    required=True,
    metavar="PATH",
    help="A manifest (CSV: split,file_path,duration), VCTK's folder, or any folder.",
)
@click.option(
    "--out",
    "run_folder",
    required=True,
    metavar="FOLDER",
    help="The run's folder: states, checkpoints, log, examples.",
)
@click.option("--config", metavar="NAME|FILE", help="A preset or a TOML file; default: SYSTEM's.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace one setting, loop.steps=500 say. Repeatable.",
)
@click.option("--resume", is_flag=True, help="Go on from the state in --out.")
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
    config: str | None,
    assignments: tuple[str, ...],
    resume: bool,
    dry_run: bool,
    device: str,
    threads: int | None,
) -> None:
    """Train SYSTEM on recordings.

    SYSTEM is vmasr, audiodec or audiodec.vocoder.

    A run can be stopped at any time, by SIGTERM, Ctrl-C or a power cut, and goes on with --resume
    as if it had not stopped. Under torchrun every process takes its share of each batch.
    """
    from audiofix.backends.placement import place
    from audiofix.errors import OutputError
    from audiofix.trainers.distributed import own_device
    from audiofix.trainers.loop import train
    from audiofix.trainers.recipes import plan
    from audiofix.trainers.run_state import STATE_FILE
    from audiofix.verbs.pipeline import use_threads

    use_threads(threads)
    shell: Shell = click.get_current_context().find_root().obj
    chosen, folder, data = plan(system, config, assignments), Path(run_folder), Path(source)
    target = own_device(place(device).device)
    if dry_run:
        from audiofix.trainers.rehearsal import rehearse

        for name, value in rehearse(chosen.recipe(data, target), chosen.settings.loop, target):
            click.echo(f"{name:<28} {value}")
        return
    if resume and not (folder / STATE_FILE).exists():
        raise OutputError(f"{folder}: no state to go on from: leave --resume out")
    if not resume and (folder / STATE_FILE).exists():
        raise OutputError(f"{folder}: holds a run: add --resume, or name another --out")
    recipe = chosen.recipe(data, target)
    _write_settings(chosen, folder, data)
    steps = chosen.settings.loop.steps
    with shell.bar(f"train {system}", steps, "step") as tick:
        train(recipe, folder, chosen.settings.loop, device=target, tick=tick)
    click.echo(f"{folder / 'last.safetensors'}", err=True)


def _write_settings(chosen: "Plan", folder: Path, data: Path) -> None:
    """Leave in the run's folder what it was made with."""
    import torch

    from audiofix.settings import as_table
    from audiofix.version import VERSION

    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "system": chosen.system,
        "data": str(data),
        "audiofix": VERSION,
        "torch": torch.__version__,
        "settings": as_table(chosen.settings),
    }
    part = folder / "settings.json.part"
    part.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    part.replace(folder / "settings.json")

"""`audiofix models`: the checkpoint store."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiofix.backends.table import SYSTEMS
from audiofix.errors import CheckpointError, UsageError
from audiofix.verbs.model_list import catalogue_row, cell, imported_row, list_lines, megabytes
from audiofix.verbs.options import hiding, shell, talkative

if TYPE_CHECKING:
    from audiofix.checkpoints.catalogue import Entry

EXAMPLES = (
    ("What exists, and what is here", "audiofix models list"),
    ("Take the authors' own file", "audiofix models import checkpoint-best-G.pth --name mine"),
    ("Hand a model on", "audiofix models export mine -o mine.safetensors"),
    ("Check that all is as it was fetched", "audiofix models verify"),
    ("Where models lie", "audiofix models path"),
)

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("models", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Manage checkpoints.

    Models lie in the user's cache, or below AUDIOFIX_CACHE. A download resumes where it was cut, is
    verified, and prints the model's licence first. Authors' files are read under an allow-list;
    nothing in them is executed.
    """


@hiding("progress")
@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Every released variant, too.")
@_JSON
@talkative
def list_models(everything: bool, as_json: bool) -> None:
    """List models by verb: rate, size, whether they are on this machine, licence.

    What ships, what was fetched or imported, and what is worth fetching.
    """
    from audiofix.checkpoints import store
    from audiofix.checkpoints.catalogue import entries

    rows = [catalogue_row(entry) for entry in entries().values()]
    rows += [imported_row(name) for name in store.imported()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo("\n".join(list_lines(rows, everything=everything)))


@hiding("progress")
@command.command("show")
@click.argument("name")
@_JSON
@talkative
def show(name: str, as_json: bool) -> None:
    """Show one model: source, licence, size, and the model card of one that ships."""
    from audiofix.checkpoints import store
    from audiofix.checkpoints.catalogue import entry

    is_imported = name in store.imported()
    found = imported_row(name) if is_imported else catalogue_row(entry(name))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    parts = found.pop("files", {})
    size = found.pop("bytes")
    said = "unknown until it is fetched" if size is None else megabytes(size)
    for key, value in {**found, "size": said}.items():
        click.echo(f"{key:<10} {cell(value)}")
    for part, fetched in parts.items():
        click.echo(f"{part:<10} {fetched['urls'][0]} {fetched['member'] or ''}".rstrip())
    card = None if is_imported else _card(entry(name))
    if card:
        click.echo(f"\n{card}", nl=False)


@command.command("pull")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--offline", is_flag=True, help="Never touch the network.")
@talkative
def pull(names: tuple[str, ...], offline: bool) -> None:
    """Fetch models, verify them, and convert them to safetensors."""
    from audiofix.backends.systems import convert
    from audiofix.checkpoints import store
    from audiofix.checkpoints.catalogue import entry

    for name in names:
        with shell().bar(name, entry(name).bytes, "B") as tick:
            progress = (lambda done, total: tick(done)) if tick else None
            click.echo(
                store.ready(name, convert, offline=True if offline else None, progress=progress)
            )


@hiding("progress")
@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("parts", nargs=-1, metavar="[PART=FILE]...")
@click.option("--name", help="Name to give it; default: the file's.")
@talkative
def import_model(file: str, parts: tuple[str, ...], name: str | None) -> None:
    """Take a checkpoint file into the store, an authors' one as it is.

    Of a model that its authors published as several files, name each part:
    {parts}. The first one tells the system.
    """
    from dataclasses import replace

    from audiofix.backends.systems import keep, read_file, read_parts
    from audiofix.checkpoints import store

    paths = _parts((file, *parts)) if parts or not Path(file).exists() else {"weights": Path(file)}
    for path in paths.values():
        if not path.is_file():
            raise CheckpointError(f"{path}: no such file: check the name")
    first = next(iter(paths.values()))
    name = name or first.stem
    if store.model_path(name).exists():
        raise CheckpointError(f"{name}: is in the store already: remove it, or give --name")
    checkpoint = read_file(first) if "weights" in paths else read_parts(paths)
    click.echo(keep(replace(checkpoint, name=name)))


import_model.help = str(import_model.help).replace(
    "{parts}", "; ".join(f"{s.name}: {s.import_words}" for s in SYSTEMS if s.import_words)
)


@hiding("progress")
@command.command("export")
@click.argument("name")
@click.argument("file", required=False, type=click.Path())
@click.option("-o", "--output", metavar="FILE", help="The same as FILE.")
@click.option(
    "--format",
    "layout",
    metavar="LAYOUT",
    help="As other programs expect it; one that is not known names those there are.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@talkative
def export(
    name: str, file: str | None, output: str | None, layout: str | None, overwrite: bool
) -> None:
    """Write a model to a safetensors file; without FILE, to NAME.safetensors.

    With --format to files that other programs load; their extensions are the format's.
    """
    from audiofix.backends.systems import files_for_others, load_checkpoint
    from audiofix.backends.weights import save_checkpoint
    from audiofix.files import check_new_file, write_bytes

    if file and output:
        raise UsageError(f"{file} and -o {output}: both name the file: leave one out")
    target = Path(file or output or f"{Path(name).stem}.safetensors")
    if layout:
        contents = files_for_others(load_checkpoint(name), layout)
        for extension, content in contents.items():
            write_bytes(target.with_suffix(extension), content, overwrite=overwrite)
            click.echo(target.with_suffix(extension))
        return
    check_new_file(target, overwrite=overwrite)
    save_checkpoint(target, load_checkpoint(name), overwrite=overwrite)
    click.echo(target)


@hiding("progress")
@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_JSON
@talkative
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Hash what is on this machine again and compare; without names, all of it."""
    from audiofix.checkpoints import store
    from audiofix.checkpoints.catalogue import entries

    here = [name for name, e in entries().items() if not e.shipped and store.is_present(name)]
    chosen = names or (*here, *store.imported())
    results = [
        {"name": name, "file": str(path), "intact": intact}
        for name in chosen
        for path, intact in store.verify(name)
    ]
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        for result in results:
            click.echo(f"{'intact ' if result['intact'] else 'DAMAGED'} {result['file']}")
    damaged = sorted({str(r["name"]) for r in results if not r["intact"]})
    if damaged:
        raise CheckpointError(f"{', '.join(damaged)}: damaged: remove and pull again")


@hiding("progress")
@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@talkative
def remove(names: tuple[str, ...]) -> None:
    """Delete models from the cache."""
    from audiofix.checkpoints import store

    for name in names:
        for path in store.remove(name):
            click.echo(path)


@hiding("progress")
@command.command("path")
@click.argument("name", required=False)
@talkative
def path(name: str | None) -> None:
    """Print where the store is, or where one model lies."""
    from audiofix.checkpoints import store
    from audiofix.checkpoints.catalogue import entry

    if name is None:
        click.echo(store.cache_folder())
        return
    if not store.is_present(name):
        if name not in store.imported():
            entry(name)
        raise CheckpointError(f"{name}: not on this machine: `audiofix models pull {name}`")
    click.echo(store.model_path(name))


def _card(entry: "Entry") -> str | None:
    """Return the model card that lies beside a shipped checkpoint."""
    if not entry.shipped:
        return None
    from audiofix.checkpoints import store

    card = store.model_path(entry.name).with_suffix(".md")
    return card.read_text(encoding="utf-8") if card.exists() else None


def _parts(words: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of a model by their parts."""
    if len(words) == 1 and "=" not in words[0]:
        return {"weights": Path(words[0])}
    found = {}
    for word in words:
        part, equals, file = word.partition("=")
        if not equals or not part.isidentifier() or part in found:
            raise UsageError(f"{word}: not understood: write each part once, as PART=FILE")
        found[part] = Path(file)
    return found

"""Write `completions/` and `man/` from the command tree: `python -m audiofix.cli.documents`.

Nothing in them depends on the day, the machine or the width of a terminal. `--check` compares
instead of writing, prints the difference and exits with 1 if there is one.
"""

import difflib
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from audiofix.cli.examples import examples_of
from audiofix.cli.main import group
from audiofix.exit_status import ExitStatus
from audiofix.verbs import VERBS

_COMPLETIONS: Mapping[str, type[ShellComplete]] = {
    "completions/audiofix.bash": BashComplete,
    "completions/_audiofix": ZshComplete,
    "completions/audiofix.fish": FishComplete,
}

ENVIRONMENT: Mapping[str, str] = {
    "AUDIOFIX_PCM": "What headerless input is, as ENCODING:RATE:CHANNELS, like f32le:48k:1.",
    "AUDIOFIX_PIPE": "The type written to standard output without -t, for instance f32le.",
    "AUDIOFIX_MODEL": "The model of a verb that is given none: a name, a file, or best.",
    "AUDIOFIX_CACHE": "The folder of downloaded and imported checkpoints.",
    "AUDIOFIX_OFFLINE": "1 never touches the network, like --offline.",
    "AUDIOFIX_MIRROR": "A base URL; checkpoints are fetched from it under their file names.",
    "AUDIOFIX_SCAN": "reference or native: plain torch or compiled kernels; default: the fastest.",
    "NO_COLOR": "Anything: no colour on standard error.",
    "FORCE_COLOR": "Anything: colour on standard error even where it is no terminal.",
}
"""Variable -> what it does."""


def documents() -> dict[str, str]:
    """Return every generated file: its path below the project's root, and its text."""
    found = {path: _completion(shell) for path, shell in _COMPLETIONS.items()}
    for words, command in _commands():
        found[f"man/{'-'.join(words)}.1"] = _page(words, command)
    return found


def _completion(shell: type[ShellComplete]) -> str:
    """Return click's script for a shell, with its faults mended."""
    made = shell(group, {}, "audiofix", "_AUDIOFIX_COMPLETE")
    text = made.source_template % made.source_vars()
    # fish splits a list of values at its own commas.
    text = text.replace('string split ","', 'string split --max 1 ","')
    # zsh runs a loaded file's whole text again at the second completion, which then only registers.
    text = text.replace(
        "loadautofunc ]]; then\n",
        "loadautofunc ]]; then\n    compdef _audiofix_completion audiofix\n",
    )
    # bash completes names of files where nothing else fits.
    return text.replace("complete -o nosort -F", "complete -o nosort -o bashdefault -o default -F")


def _commands() -> Iterator[tuple[list[str], click.Command]]:
    """Yield the group, every verb, and every command of a verb that is a group itself."""
    yield ["audiofix"], group
    context = click.Context(group)
    for name in VERBS:
        verb = group.get_command(context, name)
        assert verb is not None
        yield ["audiofix", name], verb
        if isinstance(verb, click.Group):
            inner = click.Context(verb, parent=context)
            for part in verb.list_commands(inner):
                command = verb.get_command(inner, part)
                assert command is not None
                yield ["audiofix", name, part], command


def _page(words: list[str], command: click.Command) -> str:
    """Return one manual page."""
    title = "-".join(words)
    context = click.Context(command, info_name=" ".join(words), help_option_names=["-h", "--help"])
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    summary = " ".join(paragraphs[0].split()).rstrip(".")
    lines = [
        f'.TH "{_roff(title.upper())}" "1" "" "audiofix" "audiofix manual"',
        ".SH NAME",
        f"{_roff(title)} \\- {_roff(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        f".B {_roff(' '.join(words))}",
        _roff(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
    ]
    for paragraph in paragraphs:
        lines += [".PP", _roff(" ".join(paragraph.split()))]
    lines += _commands_section(command, context)
    lines += _options_section(command, context)
    lines += _table("EXIT STATUS", {str(int(one)): one.meaning for one in ExitStatus})
    lines += _table("ENVIRONMENT", ENVIRONMENT)
    lines += _examples_section(words)
    lines += _see_also(words)
    return "\n".join(lines) + "\n"


def _commands_section(command: click.Command, context: click.Context) -> list[str]:
    if command is group:
        return _table("VERBS", {name: summary for name, (_, summary) in VERBS.items()})
    if not isinstance(command, click.Group):
        return []
    parts = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return _table(
        "COMMANDS", {name: part.get_short_help_str(200) for name, part in parts.items() if part}
    )


def _options_section(command: click.Command, context: click.Context) -> list[str]:
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context)) is not None
    ]
    return _table("OPTIONS", dict(records))


def _table(title: str, rows: Mapping[str, str]) -> list[str]:
    lines = [f".SH {title}"]
    for name, text in rows.items():
        lines += [".TP", f"\\fB{_roff(name)}\\fR", _roff(" ".join(text.split()))]
    return lines if rows else []


def _examples_section(words: list[str]) -> list[str]:
    """Return the examples of a command; of the group, one of each verb's."""
    verb = words[1:]
    examples = examples_of(verb) if verb else [examples_of([name])[0] for name in VERBS]
    lines = [".SH EXAMPLES"]
    for title, line in examples:
        lines += [".PP", f"{_roff(title)}:", ".PP", ".nf", f".RS 4\n{_roff(line)}\n.RE", ".fi"]
    return lines


def _see_also(words: list[str]) -> list[str]:
    others = [["audiofix", name] for name in VERBS] if len(words) == 1 else [words[:-1]]
    pages = [f"\\fB{_roff('-'.join(other))}\\fR(1)" for other in others]
    return [".SH SEE ALSO", ", ".join(pages)]


def _roff(text: str) -> str:
    """Return `text` so that roff prints it as it is: no escapes, no requests, real hyphens."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    escaped = escaped.replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    return f"\\&{escaped}" if escaped.startswith((".", "\\(aq")) else escaped


def differences(root: Path) -> str:
    """Return a diff from the files below `root` to what they should be; empty if all are right."""
    wanted = documents()
    present = {
        f"{path.parent.name}/{path.name}": path.read_text()
        for folder in ("completions", "man")
        for path in sorted((root / folder).glob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return "".join(
        line
        for path in sorted(wanted.keys() | present.keys())
        for line in difflib.unified_diff(
            present.get(path, "").splitlines(keepends=True),
            wanted.get(path, "").splitlines(keepends=True),
            path,
            f"{path} (generated)",
        )
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Compare only; exit with 1 if anything differs.")
@click.option("--root", type=click.Path(path_type=Path), default=Path(), help="The project's root.")
def command(check: bool, root: Path) -> None:
    """Write the completions and the manual pages."""
    if check:
        if difference := differences(root):
            click.echo(difference, nl=False)
            sys.exit(1)
        return
    wanted = documents()
    for folder in ("completions", "man"):
        (root / folder).mkdir(exist_ok=True)
        for path in (root / folder).glob("*"):
            if path.is_file() and f"{folder}/{path.name}" not in wanted:
                path.unlink()
    for name, text in wanted.items():
        (root / name).write_text(text)


if __name__ == "__main__":
    command()

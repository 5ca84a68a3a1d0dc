"""The command group, and the one place that turns exceptions into exit statuses."""

import gc
import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from audiofix.cli.console import Console
from audiofix.cli.examples import show_examples
from audiofix.exit_status import ExitStatus
from audiofix.jobs.failures import failure_of
from audiofix.jobs.signals import Terminated, end_cleanly_on_signals
from audiofix.verbs import VERBS
from audiofix.version import VERSION

_NEW_OBJECTS = 50_000
"""After so many Python looks for unused circles; its own 700 looks hundreds of times at imports."""


class LazyGroup(click.Group):
    """A group that knows its verbs by name and imports the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the table's order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one verb."""
        if name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[name][0]).command
        command.context_settings.setdefault("help_option_names", ["-h", "--help"])
        show_examples(command, [name])
        if "_AUDIOFIX_COMPLETE" in os.environ:
            from audiofix.cli.completion import complete_values

            complete_values(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


@click.group(
    "audiofix",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="VERB [INPUT]... [OPTIONS]",
    options_metavar="",
    epilog="`audiofix VERB --help` tells more; `man audiofix-VERB` too.",
)
@click.version_option(VERSION, prog_name="audiofix", message="%(prog)s %(version)s")
def group() -> None:
    """Process audio with neural models, in the style of sox and ffmpeg."""


def main() -> None:
    """Run the command line and leave with the status that the contract promises."""
    gc.set_threshold(_NEW_OBJECTS)
    console = Console()
    end_cleanly_on_signals()
    _buffer_output()
    status = _run(console)
    # What Python holds for standard output must not fail when the interpreter ends.
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        if status == ExitStatus.DONE:
            failure = failure_of(error)
            status = failure.status
            if status is not ExitStatus.PIPE_CLOSED:
                console.error(failure.message)
        _forget_output()
    if status > 128:  # ended by a signal
        _leave_at_once(status)
    gc.freeze()  # else the interpreter looks through all of torch once more before it ends
    sys.exit(int(status))


def _leave_at_once(status: int) -> NoReturn:
    """Leave without waiting for threads: all files are in order by now.

    A signal that interrupts `Thread.start` leaves a thread that no pool knows, and so nobody ends
    it; the interpreter would wait for it for ever.
    """
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.flush()
    os._exit(status)


def _run(console: Console) -> int:
    """Run the command line; what went wrong becomes one line on standard error and a status."""
    output, errors = sys.stdout, sys.stderr
    try:
        status = group.main(prog_name="audiofix", standalone_mode=False, obj=console)
        return status if isinstance(status, int) else ExitStatus.DONE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error), err=True)
        return ExitStatus.USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "audiofix"
        console.error(f"{error.format_message().rstrip('.')}: see `{path} --help`")
        return ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED
    except Terminated as end:
        return end.status
    except SystemExit:
        # When the reader of standard output goes away, click wraps the streams and leaves with 1.
        if sys.stdout is output:
            raise
        sys.stdout, sys.stderr = output, errors
        return ExitStatus.PIPE_CLOSED
    except Exception as error:
        failure = failure_of(error)
        if console.verbosity > (failure.status is not ExitStatus.FAILURE):
            console.show_traceback()
        console.error(failure.message)
        return failure.status


def _buffer_output() -> None:
    """Undo PYTHONUNBUFFERED: unbuffered, a header reaches the next program in crumbs."""
    if sys.stdout is not None and isinstance(sys.stdout.buffer, io.RawIOBase):
        raw = sys.stdout.buffer
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding=sys.stdout.encoding)


def _forget_output() -> None:
    """Point standard output at nothing."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

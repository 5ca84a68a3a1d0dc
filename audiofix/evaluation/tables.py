"""What an evaluation found, as tables for people."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audiofix.evaluation.findings import Findings, best_methods, heading, input_label, number
from audiofix.printable import printable


def print_tables(found: Findings, *, means_only: bool) -> None:
    """Print every result and the means, or the means alone, on standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=250, highlight=False)  # a pipe has no width: never fold
    if not means_only:
        console.print(_results_table(found))
        console.print()
    console.print(_means_table(found))
    console.print("\n*: no method is better at its input rate, to the digits that are shown.")
    if any(mean.has_intervals for mean in found.means):
        console.print("Below each mean: its 95% bootstrap interval over files.")
    if any(name.startswith("lsd") for name in found.metrics):
        settings = "; ".join(f"{key}: {value}" for key, value in found.lsd.items())
        console.print(f"LSD: {settings}.", markup=False)


def _results_table(found: Findings) -> Table:
    table = _table(found, "recording", "input", "method")
    for r in found.results:
        scores = (number(name, r.scores[name]) for name in found.metrics)
        table.add_row(
            escape(printable(r.name)), input_label(r.input_rate, r.damage), r.method, *scores
        )
    return table


def _means_table(found: Findings) -> Table:
    table = _table(found, "mean of", "input", "method", "files")
    best = best_methods(found)
    for mean in found.means:
        cells = []
        for name, score in mean.scores.items():
            value = number(name, score.mean)
            if (*mean.conditions, mean.method, name) in best:
                value = f"[bold]* {value}[/bold]"
            if mean.has_intervals:
                ends = f"{number(name, score.low)} … {number(name, score.high)}"
                value += f"\n[dim]{ends}[/dim]"
            cells.append(value)
        given = input_label(mean.input_rate, mean.damage)
        table.add_row(escape(mean.group), given, mean.method, str(mean.files), *cells)
    return table


def _table(found: Findings, *labels: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for label in labels:
        table.add_column(label, overflow="fold")
    for name in found.metrics:
        table.add_column(
            heading(name, str(found.lsd.get("preset", ""))), justify="right", overflow="fold"
        )
    return table

"""Which model of the catalogue a task takes."""

from collections.abc import Collection

from audiofix.checkpoints import catalogue
from audiofix.checkpoints.catalogue import Entry
from audiofix.checkpoints.store import is_present


def default_entry(
    verb: str, rate: int, systems: Collection[str], *, denoises: bool = False
) -> Entry | None:
    """Return the entry that `verb` takes when the user names none, None if there is none here.

    A pulled one goes before a shipped one; then the nearest rate not below `rate`, else the
    nearest below; then the highest rank.

    Args:
        verb: the task.
        rate: samples per second that the result is wanted at.
        systems: those that can do it.
        denoises: whether it must leave noise out; one that does is never taken unasked.
    """
    present = [e for e in _suitable(verb, systems, denoises) if is_present(e.name)]

    def order(candidate: Entry) -> tuple[bool, bool, int, int]:
        distance = candidate.rate - rate
        return (candidate.shipped is not None, distance < 0, abs(distance), -candidate.rank)

    return min(present, key=order, default=None)


def best_entry(
    verb: str, rate: int, systems: Collection[str], *, denoises: bool = False
) -> Entry | None:
    """Return the entry of the highest rank, on this machine or not; see `default_entry`.

    One whose rate is not below `rate` goes before any other; among equals the nearest rate.
    """

    def order(candidate: Entry) -> tuple[bool, int, int]:
        distance = candidate.rate - rate
        return (distance < 0, -candidate.rank, abs(distance))

    return min(_suitable(verb, systems, denoises), key=order, default=None)


def _suitable(verb: str, systems: Collection[str], denoises: bool) -> list[Entry]:
    return [
        candidate
        for candidate in catalogue.entries().values()
        if verb in candidate.verbs
        and candidate.system in systems
        and bool(candidate.config.get("denoises")) == denoises
    ]

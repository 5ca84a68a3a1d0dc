"""Independent pieces of a stream, one a core.

Two threads inside each small operation wait for each other more than they compute, and suffer most
where another program uses a core. So a piece, a window of one channel, is computed by one thread,
and several pieces at once. A piece's bits then depend neither on the number of threads nor on the
pieces beside it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def spread(work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
    """Return `work(piece)` of every piece, in order.

    Args:
        work: called on threads of its own, as many at once as torch may use threads here.
        pieces: what it is called with.

    Raises:
        Exception: the first that `work` raised.
    """
    return list(_threads(torch.get_num_threads()).map(work, pieces))


def alone(work: Callable[[], Result]) -> Result:
    """Return `work()`, computed by one torch thread as a piece is."""
    (result,) = spread(lambda _: work(), (None,))
    return result


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "audiofix", _compute_alone)


def _compute_alone() -> None:
    torch.get_num_threads()  # a new thread takes the process's number at its first question
    torch.set_num_threads(1)

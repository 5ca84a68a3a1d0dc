import threading

import pytest
import torch

from audiofix.backends.spread import alone, spread


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_results_are_in_the_order_of_the_pieces_and_pieces_run_at_once():
    both = threading.Barrier(2, timeout=30)

    def work(piece):
        if piece < 2:
            both.wait()  # passes only if two pieces run at the same time
        return piece * 10

    assert spread(work, range(5)) == [0, 10, 20, 30, 40]


@pytest.mark.usefixtures("two_threads")
def test_each_piece_has_one_torch_thread_and_the_caller_keeps_its_own():
    assert spread(lambda _: torch.get_num_threads(), range(4)) == [1] * 4
    assert alone(torch.get_num_threads) == 1
    assert torch.get_num_threads() == 2


def test_an_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        spread(lambda piece: 1 // piece, [1, 0])

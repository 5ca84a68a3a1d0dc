import pytest
import torch
from torch import nn

from audiofix.nn.state import StreamState


@pytest.mark.parametrize("time_major", [False, True])
def test_each_call_sees_what_the_ones_before_brought(time_major):
    layer, state = nn.Identity(), StreamState(time_major=time_major)
    axis = 1 if time_major else 2
    x = torch.arange(1.0, 4001.0).view((2, 1000, 2) if time_major else (2, 2, 1000))
    behind = torch.cat([torch.zeros_like(x.narrow(axis, 0, 5)), x], dim=axis)
    start = 0
    for time in [1, 1, 2, 300, 7, 1, 600, 88]:
        window = state.extend(layer, x.narrow(axis, start, time), 5)
        assert torch.equal(window, behind.narrow(axis, start, time + 5))
        start += time
    assert start == 1000


def test_layers_have_histories_of_their_own():
    one, other, state = nn.Identity(), nn.Identity(), StreamState(time_major=True)
    state.extend(one, torch.ones(1, 3, 1), 2)
    assert state.extend(other, torch.full((1, 1, 1), 7.0), 2).flatten().tolist() == [0, 0, 7]
    assert state.extend(one, torch.full((1, 1, 1), 7.0), 1).flatten().tolist() == [1, 7]


def test_a_clone_goes_its_own_way():
    layer, state = nn.Identity(), StreamState(time_major=True)
    state.extend(layer, torch.ones(1, 4, 1), 2)
    twin = state.clone()
    state.extend(layer, torch.full((1, 2, 1), 5.0), 2)
    assert twin.extend(layer, torch.zeros(1, 1, 1), 2).flatten().tolist() == [1, 1, 0]
    assert state.extend(layer, torch.zeros(1, 1, 1), 2).flatten().tolist() == [5, 5, 0]


def test_the_first_call_may_find_something_else_than_zeros():
    layer, state = nn.Identity(), StreamState("replicate")
    x = torch.tensor([[[3.0, 4.0]]])
    assert state.extend_frames(layer, x).flatten().tolist() == [3, 3, 4]
    assert state.extend_frames(layer, x).flatten().tolist() == [4, 3, 4]


def test_a_history_does_not_grow():
    layer, state = nn.Identity(), StreamState(time_major=True)
    for _ in range(1000):
        window = state.extend(layer, torch.zeros(1, 10, 4), 6)
    assert window.untyped_storage().nbytes() < 100 * 4 * 4


def test_what_a_layer_keeps_is_its_own_and_goes_with_a_clone():
    one, other, state = nn.Identity(), nn.Identity(), StreamState()
    assert state.kept(one) is None
    state.keep(one, torch.ones(1), torch.zeros(2))
    twin = state.clone()
    state.keep(one, torch.full((1,), 5.0))
    assert state.kept(other) is None and state.kept(one) == (torch.full((1,), 5.0),)
    kept = twin.kept(one)
    assert kept is not None and [part.tolist() for part in kept] == [[1.0], [0.0, 0.0]]

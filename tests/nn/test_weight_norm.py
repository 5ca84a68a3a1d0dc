import copy

import pytest
import torch
from torch import nn

from audiofix.nn.weight_norm import add_weight_norm, fold_weight_norm, weight_of

KINDS = [
    (lambda: nn.Conv1d(4, 6, 3), (4, 9), (6, 1, 1)),
    (lambda: nn.ConvTranspose1d(4, 6, 4, 2), (4, 9), (4, 1, 1)),
    (lambda: nn.Conv2d(4, 6, (3, 1), bias=False), (4, 9, 2), (6, 1, 1, 1)),
]


@pytest.mark.parametrize(("make", "shape", "norms"), KINDS)
def test_norming_and_folding_change_no_value(make, shape, norms):
    torch.manual_seed(0)
    network = nn.Sequential(make())
    x = torch.randn(2, *shape)
    before = network(x)
    add_weight_norm(network)
    names = [name.removeprefix("0.") for name in network.state_dict()]
    assert names == ["bias", "weight_g", "weight_v"][-len(names) :]
    assert network[0].weight_g.shape == norms
    torch.testing.assert_close(network(x), before)
    with torch.no_grad():
        network[0].weight_g.mul_(2)
        network[0].weight_v.mul_(3)  # its length does not count
    doubled = network(x)
    assert not torch.allclose(doubled, before)
    fold_weight_norm(network)
    assert sorted(name.removeprefix("0.") for name in network.state_dict()) == (
        ["bias", "weight"] if len(names) == 3 else ["weight"]
    )
    assert torch.equal(network(x), doubled)


def test_both_parts_learn_and_the_module_can_be_copied():
    network = nn.Sequential(nn.Conv1d(1, 2, 3))
    add_weight_norm(network)
    network(torch.ones(1, 1, 5)).square().sum().backward()
    assert network[0].weight_g.grad.abs().min() > 0
    assert network[0].weight_v.grad.abs().max() > 0
    twin = copy.deepcopy(network)
    assert torch.equal(weight_of(twin[0]), weight_of(network[0]))

import pytest
import torch
from audiofix.trainers.ema import ema_copy, update_ema
from torch import nn


def test_follows_by_the_share_that_the_decay_leaves():
    network = nn.BatchNorm1d(1)
    average = ema_copy(network)
    assert not average.training and not average.weight.requires_grad
    nn.init.constant_(network.weight, 3.0)
    network.running_mean.fill_(7.0)
    update_ema(average, network, 1000, 0.75)
    assert average.weight.item() == pytest.approx(1 + 0.25 * 2)
    assert average.running_mean.item() == 7  # buffers are copied
    update_ema(average, network, 0, 0.75)  # early: decay 1/10
    assert average.weight.item() == pytest.approx(1.5 + 0.9 * 1.5)


def test_without_decay_it_is_the_network_to_the_bit():
    network = nn.Linear(5, 5)
    average = ema_copy(network)
    nn.init.normal_(network.weight, generator=torch.Generator().manual_seed(1))
    update_ema(average, network, 3, 0.0)
    assert torch.equal(average.weight, network.weight)

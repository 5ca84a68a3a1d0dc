import pytest
import torch
from backends.a2sb.models import BRIDGE, CPU, checkpoint, network

from audiofix.backends.a2sb.blocks import time_embedding
from audiofix.backends.a2sb.networks import Networks
from audiofix.backends.weights import Checkpoint
from audiofix.errors import CheckpointError


def said(net, images, t):
    with torch.inference_mode():
        return net(images, time_embedding(torch.full((len(images),), t), 8))


def test_the_time_chooses_the_network_of_a_pair():
    networks = Networks(checkpoint(pair=True), CPU)
    images = torch.randn((2, 3, BRIDGE.rows, 16), generator=torch.Generator().manual_seed(0))
    early, late = network(0), network(1)
    for t, net in ((0.9, late), (0.5, late), (0.49, early), (0.9, late)):
        assert torch.equal(networks.velocity(images, t), said(net, images, t))


def test_weights_are_taken_over_and_not_copied():
    one = checkpoint()
    networks = Networks(one, CPU)
    own = networks._network.input_projection.weight
    assert own.data_ptr() == one.tensors["input_projection.weight"].data_ptr()


def test_half_a_pair_is_refused():
    pair = checkpoint(pair=True)
    tensors = {n: x for n, x in pair.tensors.items() if n.startswith("early.")}
    with pytest.raises(CheckpointError, match="no pair"):
        Networks(Checkpoint("half", "a2sb", pair.config, tensors, ""), CPU)

"""Checkpoints of random weights that are small enough for tests."""

from dataclasses import asdict

import torch

from audiofix.backends.a2sb.config import BridgeConfig, UNetConfig
from audiofix.backends.a2sb.network import UNet
from audiofix.backends.placement import Placement
from audiofix.backends.weights import Checkpoint

NET = UNetConfig(
    n_updown_levels=1, hidden_channels=(32, 64), emb_channels=8, band_embedding_dim=4,
    n_attn_heads=1, attention_levels=(), num_res_blocks=1, dropout=0.0,
)  # fmt: skip
BRIDGE = BridgeConfig(n_fft=64, hop=16, window_frames=16, window_hop=8, fast_steps=2)
CPU = Placement(torch.device("cpu"))


def network(seed=0, net=NET):
    """Return a network that says something: nothing in it is zero."""
    torch.manual_seed(seed)
    made = UNet(net)
    for parameter in made.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.05)
    return made.eval()


def checkpoint(bridge=BRIDGE, *, pair=False):
    """Return a model, or a pair."""
    config = {"net": asdict(NET), **asdict(bridge)}
    if not pair:
        return Checkpoint("tiny", "a2sb", config, network().state_dict(), "test")
    tensors = {
        part + name: tensor
        for seed, part in enumerate(("early.", "late."))
        for name, tensor in network(seed).state_dict().items()
    }
    return Checkpoint("pair", "a2sb", {**config, "t_cutoffs": (0.5,)}, tensors, "test")

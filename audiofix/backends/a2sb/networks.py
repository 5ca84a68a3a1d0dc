"""The network of a checkpoint, or the pair of them, called as a sampler calls them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from audiofix.backends.a2sb.blocks import time_embedding
from audiofix.backends.a2sb.config import BridgeConfig, UNetConfig
from audiofix.backends.a2sb.network import UNet
from audiofix.backends.placement import Placement
from audiofix.backends.weights import Checkpoint, fill_module
from audiofix.errors import CheckpointError

PARTS = ("early.", "late.")
"""Beginnings of the names of a pair's tensors: the network for small times comes first."""


class Networks:
    """Holds weights: those on disk are mapped into memory, and one network is on the device."""

    def __init__(self, checkpoint: Checkpoint, placement: Placement) -> None:
        """Check that the tensors are a network's, or a pair's.

        Raises:
            CheckpointError: they do not fit.
        """
        self.config = BridgeConfig.from_mapping(checkpoint.config)
        self.name = checkpoint.name
        self.rate = self.config.rate
        self._net = UNetConfig.from_mapping(checkpoint.config.get("net", {}))
        self._placement = placement
        self._tensors = _split(checkpoint)
        self._place = -1
        self._network = self._loaded(len(self._tensors) - 1)

    def velocity(self, images: Tensor, t: float) -> Tensor:
        """Return what the network for a time says of images `[batch, 3, rows, frames]`.

        Raises:
            DeviceError: the device has too little memory.
        """
        place = sum(t >= cutoff for cutoff in self.config.t_cutoffs)
        if place != self._place:
            self._network = self._loaded(place)
        device = self._placement.device
        with self._placement.guard(), torch.inference_mode(), self._placement.autocast():
            times = torch.full((len(images),), t, device=device)
            t_emb = time_embedding(times, self._net.emb_channels)
            said: Tensor = self._network(images.to(device), t_emb)
            return said.float().to(images.device)

    def _loaded(self, place: int) -> UNet:
        with torch.device("meta"):
            network = UNet(self._net)
        fill_module(network, self._tensors[place], self.name, assign=True)
        self._place = place
        return network.eval().requires_grad_(False).to(self._placement.device)


def _split(checkpoint: Checkpoint) -> list[Mapping[str, Tensor]]:
    """Return the tensors of each network, in the order of their times."""
    cutoffs = BridgeConfig.from_mapping(checkpoint.config).t_cutoffs
    if not cutoffs:
        return [checkpoint.tensors]
    parts: list[Mapping[str, Tensor]] = [
        {n.removeprefix(part): x for n, x in checkpoint.tensors.items() if n.startswith(part)}
        for part in PARTS
    ]
    if len(cutoffs) != 1 or not all(parts):
        raise CheckpointError(
            f"{checkpoint.name}: is no pair of networks: pull or import both of its files again"
        )
    return parts

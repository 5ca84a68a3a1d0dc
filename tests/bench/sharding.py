"""What sharding A2SB's weights over processes saves and costs: two on the CPU, reduced size.

    python tests/bench/sharding.py [--steps 8]

`averaged`: every process has all weights, gradients are averaged in one exchange, as the loop does.
`sharded`: torch's `fully_shard` of every block and the rest. Two runs of each, in turn.
"""

import argparse
import os
import time

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.multiprocessing import spawn

from audiofix.backends.a2sb.blocks import Attention, ResBlock
from audiofix.backends.a2sb.config import UNetConfig
from audiofix.backends.a2sb.network import UNet

NET = UNetConfig(
    n_updown_levels=3, hidden_channels=(64, 128, 256, 512), emb_channels=64, n_attn_heads=2,
    attention_levels=(2,), num_res_blocks=1, dropout=0.0,
)  # fmt: skip
PROCESSES = 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=8)
    steps = parser.parse_args().steps
    for port, kind in enumerate(("averaged", "sharded") * 2, start=29600):
        spawn(train, (kind, port, steps), nprocs=PROCESSES)


def train(rank: int, kind: str, port: int, steps: int) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    torch.manual_seed(0)
    network = UNet(NET)
    nn.init.normal_(network.output_projection[-1].weight, std=0.01)  # it begins with zeros
    if kind == "sharded":
        mesh = init_device_mesh("cpu", (PROCESSES,))
        for module in [m for m in network.modules() if isinstance(m, ResBlock | Attention)]:
            fully_shard(module, mesh=mesh)
        fully_shard(network, mesh=mesh)
    optimiser = torch.optim.RAdam(network.parameters(), lr=1e-4)
    images, t_emb = torch.randn(1, 3, 64, 32), torch.randn(1, NET.emb_channels)
    seconds, cpu_seconds = [], []
    for step in range(steps):
        torch.manual_seed(step * PROCESSES + rank)
        start, cpu_start = time.perf_counter(), time.process_time()
        loss = (network(images + 0.1 * torch.randn_like(images), t_emb) - images).square().mean()
        optimiser.zero_grad()
        loss.backward()
        if kind == "averaged":
            average([p.grad for p in network.parameters() if p.grad is not None])
        optimiser.step()
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
    if rank == 0:
        states = [t for state in optimiser.state.values() for t in state.values()]
        held = [*network.parameters(), *(p.grad for p in network.parameters()), *states]
        print(
            f"{kind}: {sum(p.numel() for p in network.parameters()) / 1e6:.1f} M parameters, "
            f"a step {median(seconds):.2f} s, {median(cpu_seconds):.2f} s of CPU time; "
            f"weights, gradients and optimiser {bytes_of(held) / 1e6:.0f} MB; loss {loss:.6f}",
            flush=True,
        )
    distributed.destroy_process_group()


def average(gradients: list[torch.Tensor]) -> None:
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= PROCESSES
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, parts, strict=True):
        gradient.copy_(mean.view_as(gradient))


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def bytes_of(tensors: list[torch.Tensor | None]) -> int:
    """Return the bytes that this process holds of tensors, sharded or whole."""
    own = [getattr(one, "to_local", lambda one=one: one)() for one in tensors if one is not None]
    return sum(one.numel() * one.element_size() for one in own)


if __name__ == "__main__":
    main()

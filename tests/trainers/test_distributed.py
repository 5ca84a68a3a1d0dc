import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from audiofix.trainers.distributed import World, joined, own_device, world_from_environment
from audiofix.trainers.run_state import STATE_FILE
from safetensors.torch import load_file

CPU = torch.device("cpu")
WORKER = Path(__file__).parent / "worker.py"


def test_two_processes_train_as_one(tmp_path, monkeypatch):
    runs = [tmp_path / "1", tmp_path / "2"]
    monkeypatch.setattr(sys, "argv", [str(WORKER), str(runs[0])])
    runpy.run_path(str(WORKER))
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [sys.executable, *launcher, str(WORKER), str(runs[1])],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    one, two = (torch.load(run / STATE_FILE, weights_only=True) for run in runs)
    assert one["step"] == two["step"] == 12  # both ended early, though one process validates
    for kind in ("networks", "ema"):
        for turn in ("generator", "discriminator"):
            for name, tensor in one[kind][turn].items():
                assert torch.allclose(tensor, two[kind][turn][name], rtol=0, atol=1e-5), name
    results = [load_file(run / "last.safetensors") for run in runs]
    assert all(torch.allclose(results[0][k], results[1][k], atol=1e-5) for k in results[0])
    logs = [(run / "log.jsonl").read_text().splitlines() for run in runs]
    assert len(logs[0]) == len(logs[1])  # one process writes
    losses = [json.loads(log[5])["generator.error"] for log in logs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)  # the mean over both


def test_shares_are_equal_and_complete():
    shares = [list(World(rank, 3).share(range(6, 12))) for rank in range(3)]
    assert shares == [[6, 9], [7, 10], [8, 11]]
    assert [World(rank, 2).is_main for rank in (0, 1)] == [True, False]


def test_alone_there_is_nobody_to_ask(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    with joined(CPU) as world:
        assert world == World(0, 1) == world_from_environment()
    assert [World().any(wish, CPU) for wish in (True, False)] == [True, False]
    assert World().mean({"x": 0.1}, CPU) == {"x": 0.1}
    parameter = torch.ones(2, requires_grad=True)
    (3 * parameter).sum().backward()
    World().average_gradients([parameter])
    assert parameter.grad.tolist() == [3, 3]


def test_the_environment_says_which_process_and_gpu_this_is(monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert world_from_environment() == World(3, 4)
    assert own_device(torch.device("cuda:0")) == torch.device("cuda:1")
    assert own_device(CPU) == CPU

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from audiofix.trainers.distributed import World, joined, own_device, world_from_environment
from audiofix.trainers.run_state import STATE_FILE
from safetensors.torch import load_file

CPU = torch.device("cpu")
WORKER = Path(__file__).parent / "worker.py"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def two_processes(*words):
    """Start the two processes of a run as `torchrun` does, without its agent."""
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    environment = {**os.environ, **world, "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), *map(str, words)],
            env={**environment, "RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def wait_for_step(run, step):
    log = run / "log.jsonl"
    deadline = time.monotonic() + 240
    while not log.exists() or f'{{"step": {step},' not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path, monkeypatch):
    """The second begins with other weights and its own disk, and takes the first one's state."""
    runs = [tmp_path / "1", tmp_path / "2"]
    for steps in (4, 20):  # stopped and resumed
        monkeypatch.setattr(sys, "argv", [str(WORKER), str(runs[0]), str(steps)])
        with pytest.raises(SystemExit):
            runpy.run_path(str(WORKER), run_name="__main__")
        with two_processes(runs[1], steps) as processes:
            ends = [process.communicate(timeout=120)[1] for process in processes]
            assert [process.returncode for process in processes] == [0, 0], ends
    one, two = (torch.load(run / STATE_FILE, weights_only=True) for run in runs)
    assert one["step"] == two["step"] == 9  # both ended early, though one process validates
    for kind in ("networks", "ema"):
        for turn in ("generator", "discriminator"):
            for name, tensor in one[kind][turn].items():
                assert torch.allclose(tensor, two[kind][turn][name], rtol=0, atol=1e-5), name
    results = [load_file(run / "last.safetensors") for run in runs]
    assert all(torch.allclose(results[0][k], results[1][k], atol=1e-5) for k in results[0])
    logs = [(run / "log.jsonl").read_text().splitlines() for run in runs]
    assert len(logs[0]) == len(logs[1])  # one process writes
    assert [path.name for path in tmp_path.rglob("last.pt")] == ["last.pt"] * 2
    assert [json.loads(log[0])["validation.sum"] for log in logs] == [10, 10]
    assert [json.loads(log[0])["validation.first"] for log in logs] == [1, 2]  # 0 2 4 1 3
    losses = [json.loads(log[5])["generator.error"] for log in logs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)  # the mean over both


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_process_ends_the_other_with_one_line(tmp_path, lost):
    with two_processes(tmp_path, 1000, 0.01) as processes:
        wait_for_step(tmp_path, 3)
        processes[lost].kill()
        _, said = processes[1 - lost].communicate(timeout=60)
        assert processes[1 - lost].returncode == 5
    (line,) = [line for line in said.splitlines() if "lost" in line]
    assert "start all processes again with --resume" in line


@pytest.mark.slow
def test_a_process_that_falls_silent_is_lost_within_a_minute(tmp_path):
    """Its connection stays, as that of a machine without power does."""
    with two_processes(tmp_path, 1000, 0.01) as processes:
        wait_for_step(tmp_path, 3)
        processes[1].send_signal(signal.SIGSTOP)
        _, said = processes[0].communicate(timeout=60)
        assert processes[0].returncode == 5
        assert "process 1: lost" in said


@pytest.mark.slow
def test_sigterm_is_obeyed_while_waiting_for_a_process(tmp_path):
    with two_processes(tmp_path, 1000, 0.01) as processes:
        wait_for_step(tmp_path, 3)
        processes[1].send_signal(signal.SIGSTOP)
        processes[0].terminate()
        assert processes[0].wait(25) == -signal.SIGTERM


def test_what_one_process_has_is_all_there_is():
    assert World().gathered({"x": [1, 2], "y": []}) == {"x": [1, 2], "y": []}


def test_shares_are_equal_and_complete():
    shares = [list(World(rank, 3).share(range(6, 12))) for rank in range(3)]
    assert shares == [[6, 9], [7, 10], [8, 11]]
    assert [World(rank, 2).is_main for rank in (0, 1)] == [True, False]


def test_alone_there_is_nobody_to_ask(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    with joined(CPU) as world:
        assert world == World(0, 1) == world_from_environment()
        assert world.broadcast({"x": [1, None]}) == {"x": [1, None]}
    assert [World().any(wish) for wish in (True, False)] == [True, False]
    assert World().mean({"x": 0.1}) == {"x": 0.1}
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

"""Two agents of torchrun, whose workers are killed: the run ends as if nothing had happened."""

import os
import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from audiofix.trainers.run_state import STATE_FILE
from trainers.test_distributed import WORKER, free_port, wait_for_step

STEPS = 40


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_agents_whose_workers_are_killed_three_times(tmp_path, monkeypatch):
    whole, run = tmp_path / "whole", tmp_path / "run"
    monkeypatch.setattr(sys, "argv", [str(WORKER), str(whole), str(STEPS)])
    monkeypatch.setenv("TOY_PATIENCE", "0")
    with pytest.raises(SystemExit):
        runpy.run_path(str(WORKER), run_name="__main__")
    agents = started(run)
    try:
        generator, step = np.random.default_rng(7), 0
        for _ in range(3):
            step += int(generator.integers(4, 10))
            wait_for_step(run, step)
            rank = int(generator.integers(2))
            os.kill(int((tmp_path / f"pid-{rank}").read_text()), signal.SIGKILL)
            time.sleep(1)
        ends = [agent.communicate(timeout=300)[0] for agent in agents]
        assert [agent.returncode for agent in agents] == [0, 0], ends
    finally:
        for agent in agents:
            agent.kill()
    states = [torch.load(one / STATE_FILE, weights_only=True) for one in (whole, run)]
    assert [state["step"] for state in states] == [STEPS, STEPS]
    for name, tensor in states[0]["networks"]["generator"].items():
        # Two processes add up in another order than one.
        assert torch.allclose(tensor, states[1]["networks"]["generator"][name], atol=1e-5), name


def started(run):
    """Start two agents with one worker each, that may be restarted."""
    words = ["--nnodes", "2", "--nproc_per_node", "1", "--max-restarts", "5"]
    words += ["--rdzv_backend", "c10d", "--rdzv_endpoint", f"127.0.0.1:{free_port()}"]
    words += [str(WORKER), str(run), str(STEPS), "0.05"]
    return [
        subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *words],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]

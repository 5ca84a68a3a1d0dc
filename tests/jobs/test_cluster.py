"""A Ray cluster of two nodes on this machine, one of which is killed in the middle."""

import os
import sys
from pathlib import Path

import pytest
from slow_effect import Slow
from window_effect import Doubling

from audiofix.errors import DeviceError, UsageError
from audiofix.jobs.cluster import Needs, ray_outcomes, ray_windows
from audiofix.jobs.job import IOOptions, Job


@pytest.mark.parametrize(
    ("needs", "options", "slots"),
    [
        (Needs(2, "cpu"), {"num_cpus": 2, "num_gpus": 0}, 4),
        (Needs(1, "auto"), {"num_cpus": 1, "num_gpus": 1}, 3),
        (Needs(4, "cuda"), {"num_cpus": 4, "num_gpus": 1}, 2),
        (Needs(16, "cpu"), {"num_cpus": 16, "num_gpus": 0}, 1),
    ],
)
def test_tasks_ask_for_what_they_use(needs, options, slots):
    resources = {"CPU": 8.0, "GPU": 3.0}
    assert (needs.options(resources), needs.slots(resources)) == (options, slots)


def test_the_gpu_is_rays_to_choose():
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match="use --device cuda"):
        ray_outcomes([], Slow(), IOOptions(), "auto", Needs(1, "cuda:1"))


def test_ray_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="pip install ray, or use --jobs"):
        ray_outcomes([], Slow(), IOOptions(), "auto", Needs(1, "cpu"))


@pytest.fixture(scope="module")
def head():
    """The cluster's first node: starting one takes longer than a test."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_health_check_period_ms", "1000")
        patch.setenv("RAY_health_check_failure_threshold", "3")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
        yield nodes
        nodes.shutdown()


@pytest.fixture
def cluster(head):
    """Two nodes, of which the second may be killed."""
    second = head.add_node(num_cpus=2)
    head.wait_for_nodes()
    return head, second


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_a_node_is_killed_and_nothing_is_lost_or_doubled(cluster, tmp_path, monkeypatch):
    nodes, second = cluster
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOFIX_TEST", "!")
    jobs = []
    for number in range(40):
        Path(f"{number}.in").write_text(str(number))
        jobs.append(Job(str(number), Path(f"{number}.in"), Path(f"{number}.out")))
    outcomes = []
    for outcome in ray_outcomes(jobs, Slow(), IOOptions(), nodes.address, Needs(1, "cpu")):
        outcomes.append(outcome)
        if len(outcomes) == 8:
            nodes.remove_node(second, allow_graceful=False)
    assert sorted(int(outcome.job.name) for outcome in outcomes) == list(range(40))
    assert [outcome.failure for outcome in outcomes] == [None] * 40
    assert [Path(f"{number}.out").read_text() for number in range(40)] == [
        f"{number}!" for number in range(40)
    ]
    assert len(set(Path("runs").read_text().split())) == 40


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_what_a_task_cannot_do_is_not_tried_again(head, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobs = [Job("gone", Path("gone.in"), Path("gone.out"))]
    (outcome,) = ray_outcomes(jobs, Slow(0.0), IOOptions(), head.address, Needs(1, "cpu"))
    assert outcome.failure and "gone.in" in outcome.failure.message


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_windows_of_one_file_are_tasks_and_survive_a_lost_node(cluster, tmp_path, monkeypatch):
    nodes, second = cluster
    monkeypatch.chdir(tmp_path)
    with ray_windows(Doubling(), nodes.address, Needs(1, "cpu")) as (compute, slots):
        assert slots == 4
        results = compute(range(40))
        assert [made for made, _ in results] == [2 * place for place in range(40)]
        assert os.getpid() not in {process for _, process in results}
        nodes.remove_node(second, allow_graceful=False)
        assert [made for made, _ in compute(range(10))] == [2 * place for place in range(10)]


def test_a_cluster_that_is_not_there_is_told():
    pytest.importorskip("ray")
    with pytest.raises(DeviceError, match="start a cluster, or use --jobs"):
        ray_outcomes([], Slow(), IOOptions(), "127.0.0.1:1", Needs(1, "cpu"))

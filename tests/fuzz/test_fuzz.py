"""No bytes may end a reader otherwise than with an `AudiofixError`, in time and in little memory.

30 seconds in all by default; `make fuzz` takes AUDIOFIX_FUZZ_SECONDS. A case that fails is written
to tests/fuzz/kept/TARGET/, where it is tried first ever after.
"""

import hashlib
import os
import random
import resource
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from fuzz.mutate import mutated
from fuzz.targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiofix.errors import AudiofixError

KEPT = Path(__file__).parent / "kept"
SECONDS = float(os.environ.get("AUDIOFIX_FUZZ_SECONDS", 24)) / len(TARGETS)
CASE_CPU_SECONDS = 20
MOST_GROWTH_KB = 600_000
PARAMETERS = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@contextmanager
def bounded():
    """Fail what computes too long, or takes too much memory."""

    def late(*_):
        raise TimeoutError("hangs")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    old = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, CASE_CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH_KB


def try_case(target, data, folder):
    try:
        with bounded():
            target.read(data, folder)
    except AudiofixError as error:
        assert str(error)
    except BaseException:
        kept = KEPT / target.name / hashlib.sha256(data).hexdigest()[:16]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
        raise


@PARAMETERS
def test_every_kept_case(target, tmp_path):
    for path in sorted((KEPT / target.name).glob("*")):
        try_case(target, path.read_bytes(), tmp_path)


@pytest.mark.slow
@PARAMETERS
@pytest.mark.timeout(0)
def test_mutated_bytes(target, tmp_path, capfd):
    seeds = target.seeds(tmp_path)
    for seed in seeds:
        try_case(target, seed, tmp_path)
    first = int(os.environ.get("AUDIOFIX_FUZZ_SEED", 0))
    end, number = time.monotonic() + SECONDS, first
    while time.monotonic() < end:
        try_case(target, mutated(seeds, random.Random(number)), tmp_path)
        number += 1
        capfd.readouterr()  # what native libraries say of it
    print(f"{target.name}: {number - first} cases")
    assert number > first


@PARAMETERS
def test_any_bytes(target, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    starts = [seed[:24] for seed in target.seeds(folder)]

    @settings(
        max_examples=30, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.sampled_from([b"", *starts]), st.binary(max_size=300))
    def check(start, rest):
        try_case(target, start + rest, folder)

    check()

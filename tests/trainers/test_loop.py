import json
import logging
import os
import re
import resource
import signal
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from audiofix.trainers.loop import RESULT_FILE, train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.run_state import STATE_FILE
from audiofix.trainers.stop_request import StopRequest
from safetensors.torch import load_file
from toy import ToyRecipe, weights

from audiofix.errors import OutputError, SettingsError

OPTIMISER = OptimiserSettings(rate=0.02, warmup_steps=4)
SETTINGS = LoopSettings(
    steps=20,
    batch=4,
    log_every=1,
    save_every=5,
    validate_every=4,
    optimisers={"generator": OPTIMISER, "discriminator": OPTIMISER},
)


def lines(run):
    found = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "items_per_second"} for line in found]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_twenty_steps_are_ten_and_ten(tmp_path, precision):
    settings = replace(SETTINGS, precision=precision)
    whole = train(ToyRecipe(dropout=0.2), tmp_path / "whole", settings)
    cut = train(ToyRecipe(dropout=0.2), tmp_path / "cut", settings, until=10)
    assert cut.step == 10
    assert not torch.equal(weights(cut.networks), weights(whole.networks))
    cut = train(ToyRecipe(dropout=0.2), tmp_path / "cut", settings)
    assert torch.equal(weights(cut.networks), weights(whole.networks))
    assert torch.equal(weights(cut.ema), weights(whole.ema))
    assert (cut.best, cut.stale) == (whole.best, whole.stale)
    assert cut.recipe.state_dict() == whole.recipe.state_dict() != {"seen": 0.0}
    assert lines(tmp_path / "cut") == lines(tmp_path / "whole")
    results = [(tmp_path / run / RESULT_FILE).read_bytes() for run in ("cut", "whole")]
    assert results[0] == results[1]


def test_the_log_tells_every_step_and_validation(tmp_path):
    train(ToyRecipe(), tmp_path, SETTINGS)
    found = lines(tmp_path)
    assert [line["step"] for line in found if "generator.total" in line] == list(range(1, 21))
    assert [line["step"] for line in found if "validation.error" in line] == [0, 4, 8, 12, 16, 20]
    assert found[1].keys() >= {
        "generator.learning_rate",
        "generator.error",
        "discriminator.grad_norm",
    }
    errors = [line["validation.error"] for line in found if "validation.error" in line]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.8 * errors[0]


def test_accumulated_parts_are_the_whole_batch(tmp_path):
    whole = train(ToyRecipe(), tmp_path / "1", SETTINGS)
    parts = train(ToyRecipe(), tmp_path / "2", replace(SETTINGS, accumulate=2))
    assert torch.allclose(weights(whole.networks), weights(parts.networks), rtol=0, atol=1e-5)


def test_both_networks_are_trained_and_validated_in_eval_mode(tmp_path):
    before = {turn: weights({turn: net}) for turn, net in ToyRecipe().networks.items()}
    recipe = ToyRecipe(dropout=0.5)
    state = train(recipe, tmp_path, SETTINGS)
    for turn, network in state.networks.items():
        assert not torch.equal(weights({turn: network}), before[turn])
        assert network.training
    assert recipe.modes == [False] * 6


def test_the_best_checkpoints_are_kept(tmp_path):
    recipe = ToyRecipe()
    recipe.errors = [0.1, 5.0, 1.0, 4.0, 0.5, 3.0]  # the first before any step
    state = train(recipe, tmp_path, replace(SETTINGS, keep_best=2))
    assert state.best == [(0.5, "best-16.safetensors"), (1.0, "best-8.safetensors")]
    kept = {path.name for path in tmp_path.glob("*.safetensors")}
    assert kept == {"best-8.safetensors", "best-16.safetensors", RESULT_FILE}
    assert (
        load_file(tmp_path / "best-8.safetensors").keys()
        == load_file(tmp_path / RESULT_FILE).keys()
    )


def test_without_better_validations_the_run_ends_early_and_stays_ended(tmp_path):
    recipe = ToyRecipe()
    recipe.errors = [0.0, 1.0, 2.0, 0.5, 3.0, 3.0]
    settings = replace(SETTINGS, validate_every=2, patience=2)
    assert train(recipe, tmp_path, settings).step == 10
    average = train(ToyRecipe(), tmp_path, settings)
    assert average.step == 10
    made = load_file(tmp_path / RESULT_FILE)
    own = average.ema["generator"].state_dict()
    assert all(torch.equal(made[name], own[name]) for name in own)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, RuntimeError), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_saves_and_is_passed_on(tmp_path, number, error):
    @contextmanager
    def bar(title, total, unit, start=0.0):
        assert (title, total, unit, start) == (f"train {tmp_path.name}", 20, " steps", 0)
        yield lambda step, note: step == 7 and os.kill(os.getpid(), number)

    def complain(*_):
        raise RuntimeError("terminated")

    before = signal.signal(signal.SIGTERM, complain)
    try:
        with pytest.raises(error):
            train(ToyRecipe(), tmp_path, SETTINGS, bar=bar)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert torch.load(tmp_path / STATE_FILE, weights_only=True)["step"] == 7
    resumed = train(ToyRecipe(), tmp_path, SETTINGS)
    undisturbed = train(ToyRecipe(), tmp_path / "other", SETTINGS)
    assert torch.equal(weights(resumed.networks), weights(undisturbed.networks))


def test_a_loss_that_is_not_finite_ends_the_run_before_it_spoils_anything(tmp_path):
    with pytest.raises(SettingsError, match=r"step 8: generator.total is nan"):
        train(ToyRecipe(nan_at=8), tmp_path, SETTINGS)
    state = torch.load(tmp_path / STATE_FILE, weights_only=True)
    assert state["step"] == 5
    assert all(t.isfinite().all() for t in state["networks"]["generator"].values())


def test_a_validation_that_is_not_finite_ends_the_run(tmp_path):
    recipe = ToyRecipe()
    recipe.errors = [1.0, 1.0, float("nan")]
    with pytest.raises(SettingsError, match="step 8: validation error is nan"):
        train(recipe, tmp_path, SETTINGS)


def test_a_broken_item_is_the_runs_error(tmp_path):
    with pytest.raises(ValueError, match="item 3 is broken"):
        train(ToyRecipe(fail_at=3), tmp_path, SETTINGS)


def test_examples_are_written_at_every_validation(tmp_path):
    settings = replace(SETTINGS, steps=8, examples=2)
    train(ToyRecipe(), tmp_path, settings)
    names = {path.name for path in (tmp_path / "examples").iterdir()}
    assert names == {
        f"clip{place}-000000{step}{end}"
        for place in (0, 1)
        for step in (0, 4, 8)
        for end in (".png", "-estimate.flac")
    }


def test_a_stopped_run_says_what_is_saved_and_how_to_go_on(tmp_path, caplog):
    class Stop(StopRequest):
        came = property(lambda self: True)

    with caplog.at_level(logging.WARNING):
        train(ToyRecipe(), tmp_path / "run", SETTINGS, stop=Stop())
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'run'}: stopped after step 1 of 20, which is saved: go on with --resume"
    ]


def test_the_bar_tells_losses_and_validation_and_where_a_resumed_run_begins(tmp_path):
    seen = []

    @contextmanager
    def bar(title, total, unit, start=0.0):
        yield lambda step, note: seen.append((start, step, note))

    train(ToyRecipe(), tmp_path, SETTINGS, until=2, bar=bar)
    train(ToyRecipe(), tmp_path, SETTINGS, until=3, bar=bar)
    assert [(start, step) for start, step, _ in seen] == [(0, 0), (0, 1), (0, 2), (2, 3)]
    words = r"validation error [\d.]+, generator [\d.]+, discriminator [\d.e-]+"
    assert re.fullmatch(words, seen[1][2])


def test_preparation_is_done_once_and_resumed(tmp_path):
    class Prepared(ToyRecipe):
        count = 0

        def prepare(self, bar):
            self.count += 1
            torch.nn.init.constant_(self.networks["generator"][0].bias, 0.5)

    settings = replace(SETTINGS, steps=2, optimisers={})
    first = Prepared()
    state = train(first, tmp_path, settings, until=1)
    assert first.count == 1
    assert (state.ema["generator"][0].bias - 0.5).abs().max() < 0.01
    again = Prepared()
    train(again, tmp_path, settings)
    assert again.count == 0
    assert (again.networks["generator"][0].bias - 0.5).abs().max() < 0.01


def test_a_refused_run_leaves_no_folder(tmp_path):
    with pytest.raises(SettingsError, match="multiple of 3"):
        train(ToyRecipe(), tmp_path / "run", replace(SETTINGS, accumulate=3))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("limit", [0, 200, 3000, 9000])
def test_a_full_disk_ends_the_run_and_freed_it_goes_on(tmp_path, limit):
    """The limit of a file's size stands for the disk: the same error comes out of every writer."""
    settings = replace(SETTINGS, steps=8, examples=1)
    whole = train(ToyRecipe(), tmp_path / "whole", settings)
    run = tmp_path / "run"
    train(ToyRecipe(), run, settings, until=5)
    before = (run / STATE_FILE).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        with pytest.raises(OutputError, match="free some space .* go on with --resume"):
            train(ToyRecipe(), run, settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert (run / STATE_FILE).read_bytes() == before
    assert not [path for path in run.rglob("*") if path.name.endswith("-part")]
    freed = train(ToyRecipe(), run, settings)
    assert torch.equal(weights(freed.networks), weights(whole.networks))


def test_files_have_the_modes_that_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        train(ToyRecipe(), tmp_path / "run", replace(SETTINGS, steps=1, examples=1))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "run").rglob("*.*")}
    assert len(modes) == 8 and set(modes.values()) == {0o640}, modes

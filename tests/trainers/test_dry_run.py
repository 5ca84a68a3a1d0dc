from dataclasses import replace
from pathlib import Path

import pytest
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.dry_run import dry_run
from audiofix.trainers.loop_settings import LoopSettings
from toy import ToyRecipe

from audiofix.errors import SettingsError


def test_says_what_a_run_would_be():
    recipe = ToyRecipe()
    recipe.training = [Recording(Path("a.wav"), "train", 90.0)] * 2
    facts = dict(dry_run(recipe, LoopSettings(steps=1200, batch=6), processes=2))
    assert facts["training recordings"] == "2, 3.0 minutes"
    assert facts["held-out recordings"] == "0, 0.0 minutes"
    assert facts["generator parameters"] == "144"
    assert facts["discriminator parameters"] == "9"
    assert facts["steps"] == "1,200 of 6 items"
    assert facts["device"] == "cpu, fp32"
    assert float(facts["memory at its peak"].removesuffix(" GB")) > 0
    assert float(facts["seconds a step"]) >= 0
    assert facts["time for all steps"].endswith("hours, 3 validations included")
    assert 3 <= recipe.steps <= 20


def test_a_batch_that_cannot_be_shared_out_is_refused_here_too():
    with pytest.raises(SettingsError, match="multiple of 4"):
        list(dry_run(ToyRecipe(), replace(LoopSettings(), batch=6, accumulate=2), processes=2))

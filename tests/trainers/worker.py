"""What `torchrun` starts in test_distributed.py: one process's share of the toy recipe."""

import sys
from pathlib import Path

from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings

sys.path.insert(0, str(Path(__file__).parent.parent))
from toy import ToyRecipe  # noqa: E402  # beside the tests

recipe = ToyRecipe()
recipe.errors = [1.0, 0.5, 2.0, 2.0, 2.0]  # only the main process's count
optimiser = OptimiserSettings(rate=0.02, warmup_steps=4)
settings = LoopSettings(
    steps=20,
    batch=4,
    log_every=1,
    validate_every=3,
    patience=2,
    optimisers={"generator": optimiser, "discriminator": optimiser},
)
train(recipe, Path(sys.argv[1]), settings)

"""What `torchrun` starts in test_distributed.py: one process's share of the toy recipe."""

import sys
from pathlib import Path

from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings

sys.path.insert(0, str(Path(__file__).parent.parent))
from toy import ToyRecipe  # noqa: E402  # beside the tests

recipe = ToyRecipe()
recipe.errors = [1.0, 0.5, 2.0, 2.0, 2.0]  # only the leader's count
settings = LoopSettings(
    steps=20, batch=4, warm_up=4, log_every=1, learning_rate=0.02, validate_every=3, patience=2
)
train(recipe, Path(sys.argv[1]), settings)

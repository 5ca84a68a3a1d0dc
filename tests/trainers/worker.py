"""What `torchrun` starts in test_distributed.py: one process's share of the toy recipe.

    worker.py RUN STEPS [SECONDS]

With SECONDS every item takes so long; process 1 has other weights at first, and no run folder.
"""

import os
import sys
import time
from pathlib import Path

import torch
from audiofix.trainers.distributed import joined
from audiofix.trainers.loop import train
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.stop_request import StopRequest

from audiofix.errors import AudiofixError

sys.path.insert(0, str(Path(__file__).parent.parent))
from toy import ToyRecipe  # noqa: E402  # beside the tests


class SlowToy(ToyRecipe):
    """Takes its time, and keeps the mean of what it saw in a buffer."""

    def __init__(self):
        super().__init__()
        self.networks["generator"].register_buffer("mean", torch.zeros(8))

    def losses(self, turn, batch):
        if turn.network == "generator":
            self.networks["generator"].mean.lerp_(batch["x"].mean(0), 0.3)
        return super().losses(turn, batch)

    def validate(self, networks):
        own = {"place": list(self.world.share(range(5)))}
        places = self.world.gathered(own)["place"]
        return {**super().validate(networks), "first": places[1], "sum": sum(places)}

    def item(self, generator):
        time.sleep(float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
        return super().item(generator)


def main() -> int:
    run, steps = Path(sys.argv[1]), int(sys.argv[2])
    optimiser = OptimiserSettings(rate=0.02, warmup_steps=4)
    settings = LoopSettings(
        steps=steps,
        batch=4,
        log_every=1,
        save_every=2,
        validate_every=3,
        patience=int(os.environ.get("TOY_PATIENCE", "2")),
        optimisers={"generator": optimiser, "discriminator": optimiser},
    )
    pid = run.with_name(f"pid-{os.environ.get('RANK', 0)}")
    pid.write_text(str(os.getpid()))
    recipe, stop = SlowToy(), StopRequest()
    # The first before any step.
    recipe.errors = [3.0, 1.0, 0.5, 2.0, 2.0, 2.0]
    try:
        with joined(recipe.device, stop) as world:
            if not world.is_main:
                run = run / "of a machine that does not see the other's disk"
                for parameter in recipe.networks["generator"].parameters():
                    torch.nn.init.zeros_(parameter)
            train(recipe, run, settings, world=world, stop=stop)
    except AudiofixError as error:
        print(error, file=sys.stderr)
        return int(error.status)
    return 0


if __name__ == "__main__":
    sys.exit(main())

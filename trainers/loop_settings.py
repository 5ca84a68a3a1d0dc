"""What decides a run whatever is trained; see `loop.train`."""

from dataclasses import dataclass
from typing import Literal

from audiofix.trainers.schedules import LearningRate, Shape

from audiofix.errors import SettingsError

_AT_LEAST_ONE = (
    "steps", "batch", "accumulate", "workers", "log_every", "save_every", "validate_every",
    "keep_best",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What every recipe has in common.

    Attributes:
        steps: of the whole run.
        batch: items a step, over all processes and accumulated parts.
        accumulate: parts that a process cuts its share of a batch into, to save memory.
        seed: of weights and data.
        learning_rate: at its highest.
        betas: of AdamW, two.
        weight_decay: of AdamW.
        warm_up: steps of rising learning rate.
        schedule: what follows.
        floor: the learning rate's share at the end.
        milestones: steps at each of which the schedule `steps` halves the learning rate.
        discriminator: its learning rate, where it has one of its own.
        average_decay: of the moving average that is validated and exported.
        gradient_limit: largest norm of a turn's gradient, 0 for no limit.
        precision: of the forward pass.
        workers: threads that prepare items.
        log_every: steps between lines of the log.
        save_every: steps between states on disk.
        validate_every: steps between validations.
        keep_best: checkpoints to keep of the best validations, at least one.
        patience: validations without a better one after which the run ends, 0 for never.
        examples: validation clips written as sounds and pictures at each validation.
        tensorboard: whether to write TensorBoard's event files.
        wandb: project to report to at Weights & Biases, empty for none.
    """

    steps: int = 1000
    batch: int = 4
    accumulate: int = 1
    seed: int = 1
    learning_rate: float = 1e-3
    betas: tuple[float, ...] = (0.9, 0.999)
    weight_decay: float = 0.0
    warm_up: int = 100
    schedule: Shape = "cosine"
    floor: float = 0.01
    milestones: tuple[int, ...] = ()
    discriminator: LearningRate | None = None
    average_decay: float = 0.998
    gradient_limit: float = 1.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    workers: int = 1
    log_every: int = 20
    save_every: int = 500
    validate_every: int = 500
    keep_best: int = 1
    patience: int = 0
    examples: int = 0
    tensorboard: bool = False
    wandb: str = ""

    def __post_init__(self) -> None:
        """Refuse what no run can be.

        Raises:
            SettingsError: a number is out of its range.
        """
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise SettingsError(f"loop.{name}: {getattr(self, name)}: must be at least 1")
        if len(self.betas) != 2:
            raise SettingsError(f"loop.betas: {list(self.betas)}: must be two numbers")

    def check_shares(self, processes: int) -> None:
        """Raise SettingsError where the batch cannot be shared out evenly."""
        parts = processes * self.accumulate
        if self.batch % parts:
            raise SettingsError(
                f"loop.batch: {self.batch}: must be a multiple of {parts} "
                "(processes times loop.accumulate)"
            )

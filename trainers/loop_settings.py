"""What decides a run whatever is trained; see `loop.train`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from audiofix.trainers.optimisers import OptimiserSettings

from audiofix.errors import SettingsError

_AT_LEAST_ONE = (
    "steps", "batch", "accumulate", "workers", "log_every", "save_every", "validate_every",
    "keep_best", "ema_every",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What every recipe has in common.

    Attributes:
        steps: of the whole run.
        batch: items a step, over all processes and accumulated parts.
        accumulate: parts that a process cuts its share of a batch into, to save memory.
        seed: of weights and data.
        optimisers: network -> its optimiser. A network that is not named has the defaults.
        ema_decay: of the moving average that is validated and exported.
        ema_every: steps from one update of that average to the next.
        max_grad_norm: the gradient of a network is scaled down to this norm; 0 for no limit.
        precision: of the forward pass.
        workers: threads, or processes, that prepare items.
        worker_processes: whether workers are processes: for items that cost more than the network
            has time for. Each has its own part of the memory for decoded recordings.
        shard_by_rank: whether each of several processes of a run trains on its own part of the
            recordings only. Lists take less memory, and batches depend on the number of processes.
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
    optimisers: Mapping[str, OptimiserSettings] = field(default_factory=dict)
    ema_decay: float = 0.998
    ema_every: int = 1
    max_grad_norm: float = 1.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    workers: int = 1
    worker_processes: bool = False
    shard_by_rank: bool = False
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

    def optimiser(self, network: str) -> OptimiserSettings:
        """Return the settings of a network's optimiser."""
        return self.optimisers.get(network, OptimiserSettings())

    def check_networks(self, networks: Iterable[str]) -> None:
        """Raise SettingsError where an optimiser is for a network that there is not."""
        names = list(networks)
        for name in self.optimisers:
            if name not in names:
                raise SettingsError(
                    f"loop.optimisers.{name}: no such network: use {', '.join(names)}"
                )

    def check_shares(self, processes: int) -> None:
        """Raise SettingsError where the batch cannot be shared out evenly."""
        parts = processes * self.accumulate
        if self.batch % parts:
            raise SettingsError(
                f"loop.batch: {self.batch}: must be a multiple of {parts} "
                "(processes times loop.accumulate)"
            )

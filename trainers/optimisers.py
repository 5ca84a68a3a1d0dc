"""Optimisers: which one a network has, with which learning rate for which of its weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from audiofix.trainers.schedules import ScheduleSettings, lr_factor
from torch import nn
from torch.optim import Optimizer

from audiofix.errors import SettingsError


@dataclass(frozen=True, slots=True)
class OptimiserSettings(ScheduleSettings):
    """The optimiser of one network, and the schedule of its learning rate.

    Attributes:
        name: Adam (Kingma and Ba, 2015), AdamW (Loshchilov and Hutter, 2019) or RAdam (Liu et al.,
            2020). Weight decay is decoupled from the gradient in all but Adam.
        rate: the learning rate at its highest.
        betas: decay of the two moments.
        weight_decay: a step, relative to the learning rate.
        factors: beginning of a parameter's name -> factor of the learning rate, `{"W." = 0.01}`.
            The longest beginning that fits decides.
    """

    name: Literal["adam", "adamw", "radam"] = "adamw"
    rate: float = 1e-3
    betas: tuple[float, ...] = (0.9, 0.999)
    weight_decay: float = 0.0
    factors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no optimiser takes.

        Raises:
            SettingsError: `betas` are not two, or not between 0 and 1, or the schedule is none.
        """
        ScheduleSettings.__post_init__(self)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise SettingsError(f"betas: {list(self.betas)}: must be two numbers, 0 to below 1")


def build_optimiser(network: nn.Module, settings: OptimiserSettings) -> Optimizer:
    """Return the optimiser of a network; each of its groups has its `factor`.

    Raises:
        SettingsError: a key of `factors` begins no parameter's name.
    """
    groups: dict[str, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        fitting = [prefix for prefix in settings.factors if name.startswith(prefix)]
        groups.setdefault(max(fitting, key=len, default=""), []).append(parameter)
    unused = sorted(settings.factors.keys() - groups.keys())
    if unused:
        raise SettingsError(f"factors: {unused[0]}: begins no parameter's name: correct it")
    parameters = [
        {"params": group, "factor": settings.factors.get(prefix, 1.0)}
        for prefix, group in groups.items()
    ]
    if settings.name == "adam":
        return torch.optim.Adam(parameters, settings.rate)
    if settings.name == "radam":
        return torch.optim.RAdam(parameters, settings.rate, decoupled_weight_decay=True)
    return torch.optim.AdamW(parameters, settings.rate)


def follow_schedule(
    optimiser: Optimizer, settings: OptimiserSettings, step: int, steps: int
) -> float:
    """Set learning rate, betas and weight decay for a step; return the learning rate.

    At every step, so that a resumed run follows its settings and not those in its state.
    """
    rate = settings.rate * lr_factor(step, steps, settings)
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]
        group["betas"] = settings.betas
        group["weight_decay"] = settings.weight_decay
    return rate

"""The one table of systems. Importing it loads nothing heavy: systems name modules."""

from audiofix.backends.a2sb.system import SYSTEM as A2SB
from audiofix.backends.apollo.system import SYSTEM as APOLLO
from audiofix.backends.asgan.system import SYSTEM as ASGAN
from audiofix.backends.audiodec.system import SYSTEM as AUDIODEC
from audiofix.backends.autoregressive.system import SYSTEM as AUTOREGRESSIVE
from audiofix.backends.envelope.system import SYSTEM as ENVELOPE
from audiofix.backends.system import System
from audiofix.backends.vmasr.system import SYSTEM as VMASR
from audiofix.errors import CheckpointError

SYSTEMS: tuple[System, ...] = (VMASR, ENVELOPE, APOLLO, A2SB, ASGAN, AUDIODEC, AUTOREGRESSIVE)
"""Every model family there is; nothing else names one."""

RECIPES = {name: place for system in SYSTEMS for name, place in system.recipes.items()}
"""Recipe -> `module:Class` of its training; the module's `Settings` are the recipe's."""


def system_of(name: str) -> System:
    """Return the system of this name.

    Raises:
        CheckpointError: this version of audiofix does not have it.
    """
    for system in SYSTEMS:
        if system.name == name:
            return system
    raise CheckpointError(f"system {name}: not in this version of audiofix: upgrade it")


def check_task(name: str, system: str, task: str) -> None:
    """Refuse a model, of a system, that cannot do a task.

    Raises:
        CheckpointError: names the systems that can, or the model's is not in this version.
    """
    if task not in system_of(system).tasks:
        raise CheckpointError(
            f"{name}: a {system} checkpoint cannot {task}: "
            f"choose a model of {', '.join(systems_for(task))}"
        )


def systems_for(task: str) -> list[str]:
    """Return the names of the systems that can do a task."""
    return [system.name for system in SYSTEMS if task in system.tasks]

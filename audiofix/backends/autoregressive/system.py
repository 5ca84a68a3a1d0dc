"""What autoregressive filling declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="autoregressive",
    tasks={"inpaint": "audiofix.backends.autoregressive.inpaint:open"},
    networks={},
    weightless=True,
)

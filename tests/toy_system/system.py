from audiofix.backends.system import System

SYSTEM = System(
    name="toy",
    tasks={"upsample": "toy_system.upsample:open"},
    networks={"toy": "toy_system.upsample:build"},
    released="toy_system.released",
)

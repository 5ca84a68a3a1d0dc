"""What VM-ASR declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="vmasr",
    tasks={"upsample": "audiofix.backends.vmasr.restore:open"},
    networks={
        "vmasr": "audiofix.backends.vmasr.network:build",
        "vmasr.discriminator": "audiofix.backends.vmasr.discriminator:build",
    },
    released="audiofix.backends.vmasr.released",
    recipes={"vmasr": "audiofix.trainers.recipes.vmasr:VMASRRecipe"},
)

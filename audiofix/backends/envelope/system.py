"""What the envelope system declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="envelope",
    tasks={"upsample": "audiofix.backends.envelope.upsample:open"},
    networks={"envelope": "audiofix.backends.envelope.network:build"},
    recipes={"envelope": "audiofix.trainers.recipes.envelope:EnvelopeRecipe"},
    examples={
        "models": (
            ("Licence, rates, source, and how good it is", "audiofix models show envelope-48k"),
        ),
    },
)

"""What ASGAN declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="asgan",
    tasks={
        "generate": "audiofix.backends.asgan.generate:open",
        "eval": "audiofix.backends.asgan.classify:open",
    },
    networks={
        "asgan": "audiofix.backends.asgan.network:build",
        "asgan.discriminator": "audiofix.backends.asgan.discriminator:build",
        "asgan.vocoder": "audiofix.backends.asgan.vocoder:build",
        "asgan.classifier": "audiofix.backends.asgan.classifier:build",
    },
    released="audiofix.backends.asgan.released",
    recipes={
        "asgan": "audiofix.trainers.recipes.asgan.recipe:ASGANRecipe",
        "asgan.classifier": "audiofix.trainers.recipes.asgan.classifier:ClassifierRecipe",
    },
    largest_bytes=199_200_000,
    examples={
        "eval": (
            (
                "A generator of digits, judged by a classifier beside real ones",
                "audiofix eval -m asgan-small-digits-16k --data digits/ --count 1000",
            ),
        ),
    },
)

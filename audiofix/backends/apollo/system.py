"""What Apollo declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="apollo",
    tasks={"decode-restore": "audiofix.backends.apollo.restore:open"},
    networks={
        "apollo": "audiofix.backends.apollo.network:build",
        "apollo.discriminator": "audiofix.backends.apollo.discriminator:build",
    },
    released="audiofix.backends.apollo.released",
    recipes={"apollo": "audiofix.trainers.recipes.apollo:ApolloRecipe"},
    largest_bytes=146_400_000,
    examples={
        "eval": (
            (
                "A restorer, on real MP3 and Opus of its own making, beside what they give back",
                "audiofix eval -m apollo-small-44k --data music/ --codec mp3:64k,opus:32k",
            ),
        ),
        "models": (
            (
                "Write a model as other programs load it",
                "audiofix models export apollo-mp3 --format msst -o restorer",
            ),
        ),
    },
)

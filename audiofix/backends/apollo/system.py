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
)

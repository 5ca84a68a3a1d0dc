"""What A2SB declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="a2sb",
    tasks={},
    networks={"a2sb": "audiofix.backends.a2sb.network:build"},
    recipes={"a2sb": "audiofix.trainers.recipes.a2sb:A2SBRecipe"},
)

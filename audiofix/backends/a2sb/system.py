"""What A2SB declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="a2sb",
    tasks={
        "inpaint": "audiofix.backends.a2sb.inpaint:Inpainter",
        "upsample": "audiofix.backends.a2sb.upsample:Upsampler",
    },
    networks={"a2sb": "audiofix.backends.a2sb.network:build"},
    released="audiofix.backends.a2sb.released",
    recipes={"a2sb": "audiofix.trainers.recipes.a2sb:A2SBRecipe"},
    largest_bytes=2 * 2_262_312_618,
    examples={
        "eval": (
            (
                "A model that fills gaps, beside what needs no model",
                "audiofix eval -m a2sb-small-44k --data music/ --gaps 0.15:5",
            ),
        ),
    },
    import_words="early=FILE late=FILE",
)

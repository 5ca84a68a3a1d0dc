"""What AudioDec declares of itself."""

from audiofix.backends.system import System

SYSTEM = System(
    name="audiodec",
    tasks=dict.fromkeys(("encode", "decode"), "audiofix.backends.audiodec.codec:open"),
    networks={
        "audiodec": "audiofix.backends.audiodec.autoencoder:build",
        "audiodec.discriminator": "audiofix.backends.audiodec.discriminator:build",
        "audiodec.vocoder": "audiofix.backends.audiodec.vocoder:build",
        "audiodec.vocoder_discriminator": "audiofix.backends.audiodec.discriminator:build",
    },
    released="audiofix.backends.audiodec.released",
    recipes={
        "audiodec": "audiofix.trainers.recipes.audiodec:AudioDecRecipe",
        "audiodec.spectral": "audiofix.trainers.recipes.audiodec_spectral:SpectralRecipe",
        "audiodec.vocoder": "audiofix.trainers.recipes.audiodec_vocoder:VocoderRecipe",
    },
    largest_bytes=114_800_000,
    examples={
        "train": (
            (
                "A codec, whose decoder goes on against discriminators",
                "audiofix train audiodec --config audiodec-2 --data VCTK/ --out run2 "
                "--set start=run/last.safetensors",
            ),
        ),
    },
    import_words="encoder=FILE config=FILE decoder=FILE",
)

"""What VM-ASR declares of itself."""

from audiofix.backends.system import System

_TRAIN = (
    ("What would be done, before it is done",
     "audiofix train vmasr --data studio.csv --out run --dry-run"),
    ("A small model, on the CPU",
     "audiofix train vmasr --config vmasr-small --data studio.csv --out run"),
    ("Go on where it stopped, or was stopped, with the settings it had",
     "audiofix train vmasr --data studio.csv --out run --resume"),
    ("Other settings than the preset's",
     "audiofix train vmasr --data VCTK/ --out run --set loop.steps=5000 --set loop.batch=16"),
    ("On four GPUs",
     "torchrun --nproc_per_node 4 -m audiofix train vmasr --data VCTK/ --out run"),
    ("A list of shards in an object store, made once, and a run that reads them by it",
     "audiofix train vmasr --data s3://corpus/shards/ --index --out shards.csv"),
    ("Use what was trained", "audiofix upsample x.wav --to 48k -m run/last.safetensors -o y.wav"),
)  # fmt: skip
_EVAL = (
    ("A model, from two input rates, beside plain resampling",
     "audiofix eval -m vmasr-small-48k --data studio/ --input-rates 8k,16k --to 48k"),
)  # fmt: skip
_MODELS = (
    ("Fetch a released model", "audiofix models pull vmasr-48k-mpd"),
    ("Make room", "audiofix models remove vmasr-48k-mpd"),
)

SYSTEM = System(
    name="vmasr",
    tasks={"upsample": "audiofix.backends.vmasr.restore:open"},
    networks={
        "vmasr": "audiofix.backends.vmasr.network:build",
        "vmasr.discriminator": "audiofix.backends.vmasr.discriminator:build",
    },
    released="audiofix.backends.vmasr.released",
    recipes={"vmasr": "audiofix.trainers.recipes.vmasr:VMASRRecipe"},
    largest_bytes=48_000_000,
    examples={"train": _TRAIN, "eval": _EVAL, "models": _MODELS},
)

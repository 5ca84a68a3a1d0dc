"""How fast `generate` is, beside the published way.

    python tests/bench/generate.py [--count 8] [--threads 2] [--rounds 5]
        [--precision auto]

`released` is the released configuration with random weights: its speed does not depend on them. The
published way has the same weights (`tests/plain_asgan.py`; of the vocoder, weight norm at every
call). Both are measured in turns, in this run; the median of the rounds counts.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import plain_asgan

from audiofix.backends.asgan.config import GeneratorConfig, VocoderConfig
from audiofix.backends.asgan.generate import ASGAN
from audiofix.backends.asgan.network import Generator
from audiofix.backends.asgan.vocoder import Vocoder
from audiofix.backends.placement import place
from audiofix.nn.weight_norm import fold_weight_norm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8, help="recordings")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    generator, vocoder = Generator(GeneratorConfig()).eval(), Vocoder(VocoderConfig()).eval()
    folded = Vocoder(VocoderConfig())
    folded.load_state_dict(vocoder.state_dict())
    fold_weight_norm(folded)
    model = ASGAN("released", 16000, generator, folded, None, place("cpu", options.precision))
    z = torch.randn(options.count, generator.config.z_dim)
    found: dict[str, torch.Tensor] = {}

    def published_features() -> None:
        found["published features"] = plain_asgan.features(generator, z)

    def published_sound() -> None:
        found["published sound"] = vocoder.decode(found["published features"])

    def features() -> None:
        w = torch.from_numpy(model.map(z.numpy()))
        found["features"] = generator.synthesise(w)

    def sound() -> None:
        found["sound"] = torch.from_numpy(model.synthesise(model.map(z.numpy())))

    ways = {
        "published, features": published_features,
        "published, sound of them": published_sound,
        "audiofix, features": features,
        "audiofix, all": sound,
    }
    taken = measured(ways, options.rounds)
    published = found["published features"]
    error = ((found["features"] - published).abs().max() / published.abs().max()).item()
    print(f"{options.threads} threads, torch {torch.__version__}, {options.count} recordings")
    print(f"largest difference of features, relative: {error:.1e}")
    for name, seconds in taken.items():
        print(f"{name:<26} {seconds:8.3f} s")
    whole = taken["published, features"] + taken["published, sound of them"]
    print(f"features: {taken['published, features'] / taken['audiofix, features']:.2f} times")
    print(f"all: {whole / taken['audiofix, all']:.2f} times")


def measured(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each way, measured in turns after one round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        for number in range(rounds + 1):
            for name, way in ways.items():
                start = time.perf_counter()
                way()
                if number:
                    taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


if __name__ == "__main__":
    main()

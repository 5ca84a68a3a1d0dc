"""What a GPU makes of audiofix: tests, benches and a short training, in one report.

    make gpu            # or: python tests/bench/gpu.py [-o gpu-report.md]

Takes under ten minutes. Ends with status 5 where there is no CUDA device.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import torch

HERE = Path(__file__).parent
TRAINING = (
    "from audiofix.cli.main import main; import sys; "
    "sys.argv = ['audiofix', 'train', 'vmasr', '--config', 'vmasr-small', '--data', sys.argv[1], "
    "'--out', sys.argv[2], '--set', 'loop.steps=200', '--set', 'loop.precision=bf16']; main()"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("gpu-report.md"))
    parser.add_argument("--data", type=Path, help="recordings for the short training")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing was measured", file=sys.stderr)
        raise SystemExit(5)
    python = sys.executable
    commands = {
        "Tests": [python, "-m", "pytest", "-q", "-m", "cuda", "tests/ops", "tests/parity"],
        "Scan, float32": [python, str(HERE / "scan.py"), "--device", "cuda"],
        "Scan, bfloat16": [python, str(HERE / "scan.py"), "--device", "cuda", "--type", "bfloat16"],
        "Upsample": [python, str(HERE / "upsample.py"), "--device", "cuda"],
    }
    if options.data:
        run = options.output.with_suffix(".run")
        commands["Training"] = [python, "-c", TRAINING, str(options.data), str(run)]
    parts = [f"# {torch.cuda.get_device_name()}, torch {torch.__version__}\n"]
    failed = []
    for title, command in commands.items():
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            failed.append(title)
        said = (done.stdout + done.stderr).strip()
        seconds = time.perf_counter() - begin
        parts.append(f"## {title}: status {done.returncode}, {seconds:.0f} s\n\n```\n{said}\n```\n")
        options.output.write_text("\n".join(parts))
    print(f"{options.output}: {'failed: ' + ', '.join(failed) if failed else 'all went well'}")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()

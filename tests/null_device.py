"""A sound device that takes and gives at no pace: ALSA's `null`."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

_PROBE = "import sounddevice; print([device['name'] for device in sounddevice.query_devices()])"


def null_device(folder: Path) -> Mapping[str, str]:
    """Return the environment in which it is the system's only device, or skip the test."""
    settings = folder / "asound.conf"
    settings.write_text("pcm.!default { type null }\n")
    environment = {"ALSA_CONFIG_PATH": str(settings)}
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE], env=environment, capture_output=True, text=True
    )
    if probe.stdout.strip() != "['default']":
        reason = (probe.stderr.splitlines() or ["this PortAudio has no ALSA"])[-1]
        pytest.skip(f"no null device: {reason}")
    return environment

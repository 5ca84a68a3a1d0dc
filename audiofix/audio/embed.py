"""A short recording as bytes of a FLAC file, to be embedded elsewhere."""

import io

import soundfile

from audiofix.audio.format import Chunk


def flac_bytes(samples: Chunk, rate: int) -> bytes:
    """Return `[channels, samples]` as a FLAC file of 16 bits; out-of-range samples are clipped."""
    file = io.BytesIO()
    soundfile.write(file, samples.T.clip(-1, 1), rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()

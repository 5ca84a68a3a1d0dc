import io

import numpy as np
import pytest
import soundfile

from audiofix.audio.flac import StreamInfo, read_stream_info


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_S8", 8), ("PCM_16", 16), ("PCM_24", 24)])
def test_reads_bits_and_samples(subtype, bits):
    file = io.BytesIO()
    soundfile.write(file, np.zeros((70_001, 2)), 44100, subtype, format="FLAC")
    assert read_stream_info(file.getvalue()[:64]) == StreamInfo(bits, 70_001)


def test_a_length_of_nothing_is_unknown():
    file = io.BytesIO()
    soundfile.write(file, np.zeros(9), 8000, "PCM_16", format="FLAC")
    head = bytearray(file.getvalue())
    head[21] &= 0xF0
    head[22:26] = bytes(4)
    assert read_stream_info(head) == StreamInfo(16, None)


@pytest.mark.parametrize("head", [b"", b"fLaC" + bytes(20), b"fLaC\x04" + bytes(60)])
def test_facts_that_are_not_there(head):
    assert read_stream_info(head) is None

"""docs/afc.md describes what the code does."""

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from codes.streams import LAYOUT, STEREO, packets_of, random_codes, written

from audiofix.codes.packet import HEAD_BYTES, MARKER, Kind

PAGE = (Path(__file__).parents[2] / "docs/afc.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", [LAYOUT, STEREO])
@pytest.mark.parametrize("frames", [0, 1, 300])
def test_the_reader_on_the_page_reads_what_we_write(layout, frames):
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict = {}
    exec(source, names)
    codes = random_codes(layout, frames)
    samples = layout.most_samples(frames)
    header, rows, told = names["read_afc"](io.BytesIO(written(layout, codes)))
    assert (header["model"], header["codebooks"], told) == (layout.model, 8, samples)
    expected = codes.transpose(1, 0, 2).reshape(frames, layout.codes(1))
    np.testing.assert_array_equal(np.reshape(rows, expected.shape), expected)


def test_the_numbers_on_the_page_are_ours():
    assert f"begins with {HEAD_BYTES} bytes" in PAGE and f"marker `{MARKER.decode()}`" in PAGE
    assert ", ".join(f"{kind.value} {kind.name.lower()}" for kind in Kind) in PAGE
    end = packets_of(written(LAYOUT, random_codes(LAYOUT, 1)))[-1]
    assert f"the last {len(end)} bytes" in PAGE


def test_codes_need_numpy_and_nothing_else():
    script = (
        "import sys, audiofix.codes.reader, audiofix.codes.writer;"
        "print({'torch', 'soundfile', 'click', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"set()\n"

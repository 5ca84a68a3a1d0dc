import numpy as np
import pytest
import soundfile

from audiofix.audio.format import AudioFormat
from audiofix.audio.sink import open_sink
from audiofix.audio.source import open_source
from audiofix.errors import AudiofixError, InputError
from audiofix.streaming.resample import Resample
from audiofix.streaming.run import run


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "x.wav"
    x = np.random.default_rng(0).integers(-9999, 9999, (10007, 2)).astype(np.int16)
    soundfile.write(path, x, 8000)
    return path


def test_moves_every_sample_and_reports_progress(recording, tmp_path):
    progress = []
    with open_source(recording) as source:
        sink = open_sink(tmp_path / "y.wav", source.format, usual_bits=source.bits)
        run(source, Resample(source.format, 8000), sink, progress=progress.append)
    assert (tmp_path / "y.wav").read_bytes()[-40028:] == recording.read_bytes()[-40028:]
    assert progress[-1] == 10007 and progress == sorted(progress)


class Broken:
    source = result = AudioFormat(8000, 2)
    latency = 0

    def output_length(self, samples):
        return samples

    def push(self, chunk):
        return chunk * np.float32(np.nan)

    def flush(self):
        return np.empty((2, 0), np.float32)


def test_a_result_that_is_not_finite_never_reaches_a_file(recording, tmp_path):
    with open_source(recording) as source:
        sink = open_sink(tmp_path / "y.wav", source.format)
        with pytest.raises(AudiofixError, match="please report"):
            run(source, Broken(), sink)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.wav"]


def test_a_cut_file_gives_its_samples_and_then_the_fault(recording, tmp_path):
    recording.write_bytes(recording.read_bytes()[:-400])
    with open_source(recording) as source:
        sink = open_sink(tmp_path / "y.wav", source.format)
        with pytest.raises(InputError, match="100 samples fewer"):
            run(source, Resample(source.format, 8000), sink)
    assert soundfile.info(tmp_path / "y.wav").frames == 9907

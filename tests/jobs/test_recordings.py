import numpy as np
import pytest
import soundfile

from audiofix.audio.format import AudioFormat
from audiofix.errors import OutputError, UsageError
from audiofix.jobs.job import IOOptions
from audiofix.jobs.recordings import Finish, check_outputs, output_files, write_recordings

MONO = AudioFormat(8000, 1)


def words(count):
    return (np.full((1, 80), 0.1 * (number + 1), np.float32) for number in range(count))


def test_a_folder_and_a_pattern_name_a_file_each(tmp_path):
    found = output_files(f"{tmp_path}/new/", 2, "flac")
    assert found == [tmp_path / "new" / "0000.flac", tmp_path / "new" / "0001.flac"]
    assert output_files(str(tmp_path), 1, None) == [tmp_path / "0000.wav"]
    assert output_files("a/w-%02d.wav", 2, None)[1].name == "w-01.wav"
    assert output_files("a.wav", 2, None) is None
    assert output_files(None, 2, None) is None
    with pytest.raises(UsageError, match="one %d"):
        output_files("a-%d-%d.wav", 2, None)


def test_one_stream_has_gaps_between_recordings(tmp_path):
    path = tmp_path / "all.wav"
    finish = Finish(gap_seconds=0.01)
    done = list(write_recordings(words(3), MONO, str(path), IOOptions(bits="32f"), finish))
    sound, rate = soundfile.read(path)
    assert done == [1, 2, 3] and rate == 8000 and len(sound) == 3 * 80 + 2 * 80
    assert not sound[80:160].any() and sound[160:240] == pytest.approx(0.2, abs=1e-6)


def test_files_are_resampled_and_levelled(tmp_path):
    files = [tmp_path / "a.wav", tmp_path / "b.wav"]
    finish = Finish(16000, level_db=-6.0)
    assert list(write_recordings(words(2), MONO, files, IOOptions(bits="32f"), finish)) == [1, 2]
    for path in files:
        sound, rate = soundfile.read(path)
        assert rate == 16000 and len(sound) == 160
        assert np.abs(sound).max() == pytest.approx(10 ** (-6 / 20), rel=1e-5)


def test_silence_has_no_level_to_set():
    silent = np.zeros((1, 5), np.float32)
    assert not Finish(level_db=0.0).apply(silent, MONO).any()


def test_existing_files_are_found_before_anything_is_made(tmp_path):
    (tmp_path / "0001.wav").touch()
    files = output_files(str(tmp_path), 2, None)
    with pytest.raises(OutputError, match="0001.wav: exists"):
        check_outputs(files, str(tmp_path), IOOptions())
    check_outputs(files, str(tmp_path), IOOptions(overwrite=True))

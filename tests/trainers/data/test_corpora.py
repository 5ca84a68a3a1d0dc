import pytest
import soundfile
from audiofix.trainers.data.corpora import read_silences, recordings
from stages import noise

from audiofix.errors import InputError


def write(path, samples=800):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(1, samples).T, 8000)


def vctk(root, speakers, utterances=12):
    for speaker in speakers:
        for number in range(utterances):
            for microphone in (1, 2):
                name = f"{speaker}_{number:03d}_mic{microphone}.flac"
                write(root / "wav48_silence_trimmed" / speaker / name)


def names(found):
    return {recording.path.stem for recording in found}


def test_any_folder_holds_one_in_ten_out(tmp_path):
    for number in range(60):
        write(tmp_path / f"{number % 3}/{number}.wav")
    (tmp_path / "notes.txt").write_text("no sound")
    train, held_out = (recordings(tmp_path, split) for split in ("train", "validation"))
    assert len(train) + len(held_out) == 60 and not names(train) & names(held_out)
    assert 2 <= len(held_out) <= 12
    assert {recording.duration for recording in train} == {0.1}


def test_of_two_recordings_one_is_held_out(tmp_path):
    for name in ("a.wav", "b.flac"):
        write(tmp_path / name)
    found = [recordings(tmp_path, split) for split in ("train", "validation")]
    assert [len(one) for one in found] == [1, 1] and names(found[0]) != names(found[1])


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_do_not_do(tmp_path, count):
    for number in range(count):
        write(tmp_path / f"{number}.wav")
    with pytest.raises(InputError, match="no recording in split train: add recordings"):
        recordings(tmp_path, "train")


def test_a_damaged_recording_is_named(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    write(tmp_path / "good.wav")
    with pytest.raises(InputError, match=r"bad\.wav"):
        [recordings(tmp_path, split) for split in ("train", "validation")]


def test_vctk_leaves_two_speakers_and_a_microphone_out(tmp_path):
    vctk(tmp_path, ["p225", "p280", "p315", "p226"])
    train, held_out = (recordings(tmp_path, split) for split in ("train", "validation"))
    assert {path.parent.name for path in (r.path for r in train)} == {"p225", "p226"}
    assert len(train) + len(held_out) == 24 and held_out
    assert all(name.endswith("_mic1") for name in names(train + held_out))


def test_vctks_speakers_after_the_hundredth_are_for_testing(tmp_path):
    vctk(tmp_path, [f"p{number}" for number in range(400, 502)], utterances=1)
    test = recordings(tmp_path, "test")
    assert names(test) == {"p500_000_mic1", "p501_000_mic1"}
    assert len(recordings(tmp_path, "train")) + len(recordings(tmp_path, "validation")) == 100


def test_silence_is_cut_where_the_time_stamps_say(tmp_path):
    vctk(tmp_path, ["p225"], utterances=3)
    stamps = tmp_path / "silences.txt"
    stamps.write_text("p225_000 0.02 0.07\n\np225_001 0.05 9.0\np225_002 0.5 0.6\n")
    found = [
        recording
        for split in ("train", "validation")
        for recording in recordings(tmp_path, split, silences=stamps)
    ]
    times = {r.path.stem: (round(r.start, 3), round(r.duration, 3)) for r in found}
    # What ends after the file ends with it, and what begins after it is left out.
    assert times == {"p225_000_mic1": (0.02, 0.05), "p225_001_mic1": (0.05, 0.05)}


def test_time_stamps_of_another_form_are_refused(tmp_path):
    (tmp_path / "s.txt").write_text("p225_000 early late\n")
    with pytest.raises(InputError, match="not a list of `NAME START STOP`"):
        read_silences(tmp_path / "s.txt")


def test_a_manifest_says_it_all(tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text("split,file_path,duration\ntrain,a.wav,1.5\nvalidation,b.wav,2\n")
    assert [r.duration for r in recordings(manifest, "train")] == [1.5]
    with pytest.raises(InputError, match="no such manifest or folder"):
        recordings(tmp_path / "other", "train")

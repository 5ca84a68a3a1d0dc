from audiofix.evaluation.recordings import chosen_recordings, is_included


def test_a_manifests_split_by_name_and_pattern(tmp_path):
    rows = ["split,file_path,duration", "train,a/x.wav,1", "validation,a/y.wav,1"]
    (tmp_path / "m.csv").write_text("\n".join([*rows, "validation,b/z.wav,1"]))
    found = chosen_recordings(tmp_path / "m.csv", "validation", ())
    assert found == {"a/y": tmp_path / "a/y.wav", "b/z": tmp_path / "b/z.wav"}
    assert list(chosen_recordings(tmp_path / "m.csv", "validation", ("b/*",))) == ["b/z"]


def test_patterns():
    assert is_included("a/x", ()) and is_included("a/x", ("b/*", "a/*"))
    assert not is_included("a/x", ("b/*",))

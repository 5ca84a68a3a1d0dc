from audiofix.trainers.progress import no_bar


def test_without_a_bar_there_is_nobody_to_tell():
    with no_bar("train x", 10, " steps", 3) as tick:
        assert tick is None

from audiofix.evaluation.meanings import MEANINGS
from audiofix.metrics.score import METRICS


def test_every_metric_is_explained_in_sentences():
    assert list(MEANINGS) == list(METRICS)
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())

import pytest
from stages import check_stage

from audiofix.audio.format import AudioFormat
from audiofix.errors import UsageError
from audiofix.streaming.chain import Chain
from audiofix.streaming.overlap import OverlapAdd
from audiofix.streaming.resample import Resample


def chain():
    middle = AudioFormat(24000, 2)
    return Chain(
        Resample(AudioFormat(16000, 2), 24000),
        OverlapAdd(middle, lambda w: w, window=600, context=50, fade=20),
        Resample(middle, 8000),
    )


def test_keeps_the_laws():
    check_stage(chain, lengths=[4096, 9973], hour_samples=2_000_000)


def test_refuses_stages_that_do_not_fit():
    with pytest.raises(UsageError, match="formats differ"):
        Chain(Resample(AudioFormat(8000, 1), 16000), Resample(AudioFormat(8000, 1), 16000))

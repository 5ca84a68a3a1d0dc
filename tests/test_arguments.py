import numpy as np
import pytest
import torch

from audiofix import arguments
from audiofix.errors import AudiofixError, InputError, UsageError

RATES = [16000, 16000.0, np.int64(16000), np.float32(16000), "16k", "16000", "16 kHz"]


@pytest.mark.parametrize("rate", RATES)
def test_whole_numbers_of_any_type(rate):
    found = arguments.rate_of("rate", rate)
    assert found == 16000 and type(found) is int


@pytest.mark.parametrize(
    "rate",
    [0, -1, 16000.5, "fast", "", "k", "nan", "0.5", None, True, [1], float("nan"), float("inf"),
     1 << 40, 1j, b"1"],
)  # fmt: skip
def test_what_is_no_rate_is_refused_by_name(rate):
    with pytest.raises(UsageError, match="^rate="):
        arguments.rate_of("rate", rate)


@pytest.mark.parametrize("number", ["1", None, True, float("nan"), 1j, [1]])
def test_what_is_no_number_is_refused_by_name(number):
    with pytest.raises(UsageError, match="^cutoff="):
        arguments.real_number("cutoff", number)


def test_gaps_are_pairs_of_seconds():
    assert arguments.gaps_of([(1, 2.5), [3, 4]]) == ((1.0, 2.5), (3.0, 4.0))
    for wrong in (1, "1-2", [1, 2], [(1,)], [(2, 1)], [(-1, 1)], [("a", "b")], [(1, None)]):
        with pytest.raises(UsageError, match="gaps"):
            arguments.gaps_of(wrong)


@pytest.mark.parametrize("make", [np.asarray, torch.from_numpy, lambda x: x.tolist()])
def test_sound_of_any_library(make):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = arguments.samples_of(make(x))
    assert found.dtype == np.float32 and np.array_equal(found, x)
    assert arguments.samples_of(make(x[0])).shape == (1, 3)


@pytest.mark.parametrize(
    "x",
    [np.zeros((1, 2, 3)), np.zeros(3, complex), np.array(["a"]), None, "x", [[1], [1, 2]], 5,
     torch.zeros(3, dtype=torch.bfloat16), np.zeros((48000, 2)), np.zeros((0, 5)), object()],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_what_is_no_sound_is_refused_by_name(x):
    with pytest.raises(InputError, match="^x"):
        arguments.samples_of(x)


def test_integers_are_scaled_as_their_type_says():
    for numbers, kind in (([-32768, 0, 16384], "int16"), ([-(2**31), 0, 2**30], "int32")):
        assert arguments.samples_of(np.array(numbers, kind)).tolist() == [[-1, 0, 0.5]]
    assert arguments.samples_of(np.array([0, 128, 192], "uint8")).tolist() == [[-1, 0, 0.5]]
    for kind in ("int64", "uint16", "int8"):
        with pytest.raises(InputError, match="full scale"):
            arguments.samples_of(np.zeros(3, kind))


@pytest.mark.parametrize("shape", [(300, 2), (48, 2), (3, 0), (5, 1)])
def test_channels_that_come_last_are_told(shape):
    with pytest.raises(InputError, match="channels"):
        arguments.samples_of(np.zeros(shape, np.float32))
    assert arguments.samples_of(np.zeros((2, 1), np.float32)).shape == (2, 1)


def test_the_result_is_like_the_input():
    y = np.ones((1, 4), np.float32)
    assert arguments.like(np.zeros(4), y).shape == (4,)
    assert isinstance(arguments.like(torch.zeros(1, 4), y), torch.Tensor)
    assert issubclass(UsageError, AudiofixError)

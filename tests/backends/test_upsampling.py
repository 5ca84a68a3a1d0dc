import pytest

from audiofix.audio.format import AudioFormat
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.upsampling import check_request, refuse_steps
from audiofix.errors import InputError, UsageError


@pytest.mark.parametrize("cutoff_hz", [0, -1, 8001, float("nan")])
def test_a_band_ends_inside_what_its_rate_holds(cutoff_hz):
    with pytest.raises(UsageError, match="a 16000 Hz input holds 0 to 8000 Hz"):
        check_request(AudioFormat(16000, 1), UpsampleRequest(48000, cutoff_hz))


def test_the_lowest_rate():
    check_request(AudioFormat(1000, 1), UpsampleRequest(48000))
    with pytest.raises(InputError, match="999 Hz: below 1000 Hz there is no band"):
        check_request(AudioFormat(999, 1), UpsampleRequest(48000))


def test_steps_are_for_diffusion_models():
    refuse_steps("tiny", UpsampleRequest(48000))
    with pytest.raises(UsageError, match="tiny is no diffusion model"):
        refuse_steps("tiny", UpsampleRequest(48000, steps=3))

import pytest
import torch

from audiofix.backends.placement import place
from audiofix.jobs import workers


@pytest.mark.parametrize(
    ("device", "numbers"), [("auto", [0, 1, 2, 0]), ("cuda", [0, 1, 2, 0]), ("cuda:1", [1] * 4)]
)
def test_the_processes_of_a_batch_take_the_gpus_in_turn(monkeypatch, device, numbers):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert place(device).device == torch.device("cuda", numbers[0])
    for worker, number in enumerate(numbers):
        monkeypatch.setattr(workers, "own_number", worker)
        assert place(device).device == torch.device("cuda", number)


def test_without_a_gpu_the_number_of_a_process_says_nothing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(workers, "own_number", 3)
    assert place("cpu").device == torch.device("cpu")

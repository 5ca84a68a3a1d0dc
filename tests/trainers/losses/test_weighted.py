import torch
from audiofix.trainers.losses.weighted import weighted_sum


def test_the_total_is_weighted_and_the_losses_are_not():
    found = weighted_sum({"mel": (45.0, torch.tensor(2.0)), "stft": (0.5, torch.tensor(3.0))})
    assert {name: loss.item() for name, loss in found.items()} == {
        "mel": 2.0,
        "stft": 3.0,
        "total": 91.5,
    }

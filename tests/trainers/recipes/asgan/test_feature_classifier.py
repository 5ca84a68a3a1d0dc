import pytest
import torch
from audiofix.trainers.recipes.asgan.feature_classifier import (
    FeatureClassifier,
    disturbed,
    unclearness,
)


def test_it_learns_which_band_is_loud_and_when():
    torch.manual_seed(0)
    labels = torch.arange(4).repeat(8)
    words = torch.zeros(32, 12, 16)
    words[labels == 0, :, 3], words[labels == 1, :, 12] = 2.0, 2.0
    words[labels == 2, :3], words[labels == 3, 8:] = 2.0, 2.0
    network = FeatureClassifier(4, 12, 16, (4, 8))
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(60):
        loss = unclearness(network(words), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (network(words).argmax(1) == labels).all()


def test_odd_sizes_fit():
    assert FeatureClassifier(3, 13, 9, (2, 4, 8))(torch.zeros(2, 13, 9)).shape == (2, 3)


def test_unclearness_of_smoothed_labels():
    sure = torch.tensor([[100.0, 0.0]])
    assert unclearness(torch.zeros(1, 2), torch.tensor([0])).item() == pytest.approx(
        0.693, abs=1e-3
    )
    assert unclearness(sure, torch.tensor([0])).item() == pytest.approx(0.05 * 100)
    assert unclearness(sure, torch.tensor([1])).item() == pytest.approx(0.95 * 100)


def test_disturbance_differs_by_word_and_lets_gradients_pass():
    torch.manual_seed(0)
    c = torch.ones(64, 48, 32, requires_grad=True)
    found = disturbed(c)
    found.sum().backward()
    assert set(c.grad.unique().tolist()) == {0.0, 1.0}
    silent = (c.grad == 0).float().mean().item()
    # Gaps of 4 of 48 frames and of 4 of 32 bands on the average, less what the edge cuts off.
    assert 0.1 < silent < 0.2
    kept = [one[one != 0] for one in found.detach()]
    assert all(abs(one.mean().item() - 1) < 0.35 for one in kept)
    assert all(one.std().item() < 0.33 for one in kept)
    assert len({round(one.mean().item(), 4) for one in kept}) > 60

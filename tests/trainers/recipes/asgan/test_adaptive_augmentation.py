import pytest
import torch
from audiofix.trainers.recipes.asgan.adaptive_augmentation import AdaptiveAugmentation


def updates(augmentation, scores, count=6):
    for _ in range(count):
        augmentation.observe(torch.tensor(scores).sign().mean().item())


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([1.0] * 10, 0.25), ([1.0] * 9 + [-1.0], 0.205), ([1.0, -1.0], 0.195)],
)
def test_the_probability_follows_the_signs_of_real_scores(scores, expected):
    augmentation = AdaptiveAugmentation(0.2)
    updates(augmentation, scores, 5)
    assert augmentation.probability == 0.2
    updates(augmentation, scores, 1)
    assert augmentation.probability == pytest.approx(expected)


def test_a_resumed_run_goes_on_where_it_was():
    first, second = AdaptiveAugmentation(0.2), AdaptiveAugmentation(0.9)
    updates(first, [1.0] * 4, 8)
    second.load_state_dict(first.state_dict())
    updates(first, [1.0] * 4, 4)
    updates(second, [1.0] * 4, 4)
    assert first == second and first.probability == pytest.approx(0.3)


def test_changes_leave_the_given_batches_alone_and_shapes_too():
    torch.manual_seed(0)
    real, fake = torch.zeros(3, 8, 2), torch.ones(3, 8, 2)
    changed = AdaptiveAugmentation(1.0).apply(real, fake)
    assert all(one.shape == real.shape for one in changed)
    assert not torch.equal(changed[0], real) and not torch.equal(changed[1], fake)
    assert real.eq(0).all() and fake.eq(1).all()
    unchanged = AdaptiveAugmentation(0.0).apply(real, fake)
    assert unchanged[0] is real and unchanged[1] is fake


def test_updates_are_skipped_as_often_as_batches_are_augmented():
    augmentation = AdaptiveAugmentation(0.25)
    assert augmentation.skips_update(1, 0.24) and not augmentation.skips_update(1, 0.26)
    assert not augmentation.skips_update(16, 0.0)

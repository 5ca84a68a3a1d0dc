import torch
from audiofix.trainers.recipes.asgan.labelled_vectors import (
    labels_in,
    vectors_of_every_choice,
    vectors_of_every_label,
)


def test_vectors_stand_for_their_labels_and_stay_gaussian():
    torch.manual_seed(0)
    z = vectors_of_every_label(4, 3000, 6, torch.device("cpu"))
    assert z.shape == (4, 3000, 6)
    assert torch.equal(labels_in(z, 4), torch.arange(4)[:, None].expand(-1, 3000))
    for place in range(6):
        assert abs(z[..., place].mean()) < 0.03 and abs(z[..., place].std() - 1) < 0.03
    assert z[0, :, 0].mean() > 0.9 > 0 > z[1, :, 0].mean()


def test_vectors_choose_two_things_at_once():
    torch.manual_seed(0)
    z = vectors_of_every_choice((2, 3), 2000, 7, torch.device("cpu"))
    chosen = 3 * labels_in(z, 2) + labels_in(z[..., 2:], 3)
    assert torch.equal(chosen, torch.arange(6)[:, None].expand(-1, 2000))
    for place in range(7):
        assert abs(z[..., place].mean()) < 0.03 and abs(z[..., place].std() - 1) < 0.03

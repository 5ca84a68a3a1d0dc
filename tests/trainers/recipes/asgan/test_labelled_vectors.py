import torch
from audiofix.trainers.recipes.asgan.labelled_vectors import labels_in, vectors_of_every_label


def test_vectors_stand_for_their_labels_and_stay_gaussian():
    torch.manual_seed(0)
    z = vectors_of_every_label(4, 3000, 6, torch.device("cpu"))
    assert z.shape == (4, 3000, 6)
    assert torch.equal(labels_in(z, 4), torch.arange(4)[:, None].expand(-1, 3000))
    for place in range(6):
        assert abs(z[..., place].mean()) < 0.03 and abs(z[..., place].std() - 1) < 0.03
    assert z[0, :, 0].mean() > 0.9 > 0 > z[1, :, 0].mean()

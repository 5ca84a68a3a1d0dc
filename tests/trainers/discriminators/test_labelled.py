import torch
from audiofix.trainers.discriminators.labelled import (
    LabelledDiscriminator,
    labels_in,
    with_labels,
)

from audiofix.backends.asgan.config import DiscriminatorConfig
from audiofix.backends.asgan.discriminator import Discriminator


def test_the_label_changes_the_score_by_its_own_embedding():
    torch.manual_seed(0)
    body = Discriminator(DiscriminatorConfig(4, 8, 12, kernel_size=3, block_repeats=(1, 1)))
    network = LabelledDiscriminator(body, 3)
    c = torch.randn(4, 12, 4)
    plain = body(c)
    network.embedding.weight.data[0] = 0
    torch.testing.assert_close(network(c, torch.zeros(4, dtype=torch.long)), plain)
    h = body.head.features(body.maps(c))
    expected = plain + h @ network.embedding.weight[2][:, None] / 8**0.5
    torch.testing.assert_close(network(c, torch.full((4,), 2)), expected)


def test_vectors_are_given_labels_and_stay_gaussian():
    torch.manual_seed(0)
    z, labels = torch.randn(5000, 4), torch.arange(5000) % 4
    changed = with_labels(z, labels, 4)
    assert torch.equal(labels_in(changed, 4), labels)
    assert torch.equal(changed.sort(1).values, z.sort(1).values)
    assert changed.mean().abs() < 0.03 and (changed.std() - 1).abs() < 0.03
    assert labels_in(z, 4).bincount().min() > 1100

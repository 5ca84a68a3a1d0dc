import numpy as np
import pytest
import torch

from audiofix.backends.asgan.latents import draw, one_by_one, spherical
from audiofix.backends.tasks import GenerateRequest, Latents


def all_of(request, size):
    return np.concatenate([one.values for one in one_by_one(request, size)])


def test_each_vector_has_a_generator_of_its_own():
    whole = draw(5, 7, 16)
    torch.testing.assert_close(draw(2, 7, 16, start=3), whole[3:], rtol=0, atol=0)
    assert len({tuple(row.tolist()) for row in whole}) == 5
    assert draw(4000, 1, 4).std().item() == pytest.approx(1, abs=0.03)


def test_recordings_come_one_by_one():
    found = list(one_by_one(GenerateRequest(3, 3), 4))
    assert [len(one) for one in found] == [1] * 3
    together = np.concatenate([one.values for one in found])
    np.testing.assert_array_equal(together, draw(3, 3, 4).numpy())


def test_between_gaussian_vectors_the_way_is_an_arc():
    found = all_of(GenerateRequest(3, 1, interpolate=1), 64)
    first, second, third = draw(3, 1, 64)
    assert found.shape == (5, 64)
    np.testing.assert_array_equal(found[[0, 2, 4]], torch.stack([first, second, third]))
    middle = torch.from_numpy(found[1])
    assert middle.norm() > 0.9 * min(first.norm(), second.norm())
    # equal angles on both sides
    cosines = [torch.cosine_similarity(middle, end, dim=0) for end in (first, second)]
    assert cosines[0].item() == pytest.approx(cosines[1].item(), abs=1e-5)


def test_between_latents_the_way_is_straight():
    w = Latents("w", np.array([[0.0, 0.0], [4.0, 8.0]], np.float32))
    found = all_of(GenerateRequest(latents=w, interpolate=3), 2)
    np.testing.assert_allclose(found, np.linspace([0, 0], [4, 8], 5), atol=1e-6)


def test_the_arc_between_equal_vectors_is_a_point():
    vector = torch.tensor([1.0, 2.0])
    torch.testing.assert_close(spherical(vector, vector, 0.5), vector)

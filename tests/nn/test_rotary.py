import math

import torch

from audiofix.nn.rotary import rotary_tables, rotate


def test_each_pair_is_turned_by_its_own_angle():
    cosines, sines = rotary_tables(5, 4)
    assert cosines.shape == sines.shape == (5, 4)
    x = torch.tensor([[1.0, 0.0, 0.0, 1.0]]).expand(5, 4)
    turned = rotate(x, cosines, sines)
    for place in range(5):
        slow = place * 10000**-0.5
        expected = [math.cos(place), math.sin(place), -math.sin(slow), math.cos(slow)]
        assert torch.allclose(turned[place], torch.tensor(expected), atol=1e-6)


def test_products_hang_on_the_distance_only():
    cosines, sines = rotary_tables(20, 8)
    x = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    rows = [rotate(row.expand(20, 8), cosines, sines) for row in x]
    products = rows[0] @ rows[1].T
    assert torch.allclose(products[3, 7], products[12, 16], atol=1e-5)
    assert not torch.allclose(products[3, 7], products[3, 8], atol=1e-3)

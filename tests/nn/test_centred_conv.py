import pytest
import torch

from audiofix.nn.centred_conv import CentredConv1d, CentredUpsample1d
from audiofix.nn.conv import PointwiseConv1d
from audiofix.ops.convolution import ELU


@pytest.mark.parametrize("stride", [2, 3, 4, 5])
def test_centred_twins_keep_the_length(stride):
    x = torch.randn(1, 2, 20 * stride)
    assert CentredConv1d(2, 3, 7, dilation=9)(x).shape == (1, 3, 20 * stride)
    down = CentredConv1d(2, 3, 2 * stride, stride=stride)(x)
    assert down.shape == (1, 3, 20)
    assert CentredUpsample1d(3, 2, stride)(down).shape == x.shape


def test_what_follows_a_convolution():
    layer, then, x = CentredConv1d(2, 3, 7), PointwiseConv1d(3, 2), torch.randn(1, 2, 9)
    elu = torch.nn.functional.elu
    expected = x + then(elu(layer(elu(x))))
    torch.testing.assert_close(layer(x, before=ELU, then=then, residual=x), expected)

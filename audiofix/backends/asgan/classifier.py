"""The classifier of spoken digits that generators are judged by.

ResNeXt-29 (Xie et al., 2017) on a mel picture of 32 by 32; specification, section 8. Attribute
names are those of the released file.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from audiofix.backends.asgan.config import ClassifierConfig
from audiofix.backends.tasks import Config

_UNIT = 64


class Bottleneck(nn.Module):
    """Narrow, grouped and wide convolutions beside a short cut."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, config: ClassifierConfig
    ) -> None:
        """Make the bottleneck."""
        super().__init__()
        width = (
            config.cardinality * config.base_width * out_channels // (config.widen_factor * _UNIT)
        )
        self.conv_reduce = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn_reduce = nn.BatchNorm2d(width)
        self.conv_conv = nn.Conv2d(
            width, width, 3, stride, 1, groups=config.cardinality, bias=False
        )
        self.bn = nn.BatchNorm2d(width)
        self.conv_expand = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn_expand = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if in_channels != out_channels:
            self.shortcut.add_module(
                "shortcut_conv", nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            )
            self.shortcut.add_module("shortcut_bn", nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, out_channels, height / stride, width / stride]`."""
        y = torch.relu(self.bn_reduce(self.conv_reduce(x)))
        y = torch.relu(self.bn(self.conv_conv(y)))
        return torch.relu(self.bn_expand(self.conv_expand(y)) + self.shortcut(x))


class Classifier(nn.Module):
    """Mel pictures to logits of the digits zero to nine."""

    def __init__(self, config: ClassifierConfig) -> None:
        """Make the classifier with fresh weights."""
        super().__init__()
        self.config = config
        width = _UNIT * config.widen_factor
        widths = [_UNIT, width, 2 * width, 4 * width]
        self.conv_1_3x3 = nn.Conv2d(config.in_channels, _UNIT, 3, 1, 1, bias=False)
        self.bn_1 = nn.BatchNorm2d(_UNIT)
        self.stage_1 = _stage(1, widths[0], widths[1], config)
        self.stage_2 = _stage(2, widths[1], widths[2], config)
        self.stage_3 = _stage(3, widths[2], widths[3], config)
        self.classifier = nn.Linear(widths[3], config.nlabels)

    def features(self, x: Tensor) -> Tensor:
        """Return `[batch, 256 * widen_factor]` of pictures `[batch, 1, 32, 32]`."""
        x = torch.relu(self.bn_1(self.conv_1_3x3(x)))
        return self.stage_3(self.stage_2(self.stage_1(x))).mean((2, 3))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Return logits `[batch, nlabels]` of pictures `[batch, 1, 32, 32]`."""
        return self.classifier(self.features(x))  # type: ignore[no-any-return]


def _stage(
    number: int, in_channels: int, out_channels: int, config: ClassifierConfig
) -> nn.Sequential:
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    for index in range(config.bottlenecks):
        stride = 2 if number > 1 and index == 0 else 1
        source = in_channels if index == 0 else out_channels
        name = f"stage_{number}_bottleneck_{index}"
        blocks[name] = Bottleneck(source, out_channels, stride, config)
    return nn.Sequential(blocks)


def build(config: Config) -> Classifier:
    """Return the classifier for a parity `config` object."""
    return Classifier(ClassifierConfig.from_mapping(config))

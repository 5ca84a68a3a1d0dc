"""A2SB's UNet: an image of the sound and a time in, the bridge's velocity out."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from audiofix.backends.a2sb.blocks import (
    Attention,
    Downsample,
    GroupNorm32,
    ResBlock,
    Upsample,
    band_embedding,
)
from audiofix.backends.a2sb.config import UNetConfig


def build(config: Mapping[str, object]) -> "UNet":
    """Return a network with fresh weights for a configuration of the authors or the parity files.

    Raises:
        SettingsError: a key is unknown, or a value is out of range.
    """
    return UNet(UNetConfig.from_mapping(config.get("net", config)))


class Level(nn.Sequential):
    """Residual and attention blocks of one resolution, in order.

    Attributes:
        checkpointed: whether the backward pass computes each block again, instead of keeping
            everything that it needs of the forward pass: less memory, a third more time.
    """

    checkpointed = False

    def forward(  # type: ignore[override]  # a Sequential, so that hooks find it by its name
        self, h: Tensor, condition: Tensor
    ) -> Tensor:
        """Pass `h` `[batch, channels, rows, frames]` through; see `ResBlock.forward`."""
        for block in self:
            inputs = (h, condition) if isinstance(block, ResBlock) else (h,)
            if self.checkpointed and torch.is_grad_enabled():
                h = checkpoint(block, *inputs, use_reentrant=False)
            else:
                h = block(*inputs)
        return h


class UNet(nn.Module):
    """Skips are sums, taken behind each halving; there is none at full resolution."""

    def __init__(self, config: UNetConfig) -> None:
        """Make the network. The order of the parts is that of the released state dict."""
        super().__init__()
        self.config = config
        widths, levels = config.hidden_channels, config.n_updown_levels
        self.enc_blocks = nn.ModuleList(
            self._level(level, widths[level]) for level in range(levels)
        )
        self.ds_layers = nn.ModuleList(
            Downsample(widths[level], widths[level + 1]) for level in range(levels)
        )
        upwards = list(reversed(range(levels)))
        self.us_layers = nn.ModuleList(
            Upsample(widths[level + 1], widths[level]) for level in upwards
        )
        self.dec_blocks = nn.ModuleList(self._level(level, widths[level + 1]) for level in upwards)
        self.input_projection = nn.Conv2d(config.in_channels, widths[0], 3, padding=1)
        deepest = widths[-1]
        self.middle_block = Level(
            self._residual(deepest), self._attention(deepest), self._residual(deepest)
        )
        last = nn.Conv2d(widths[0], config.out_channels, 3, padding=1)
        self.output_projection = nn.Sequential(GroupNorm32(widths[0]), nn.SiLU(), last)

    def forward(self, x: Tensor, t_emb: Tensor) -> Tensor:
        """Return the velocity `[batch, out_channels, rows, frames]`.

        Args:
            x: `[batch, in_channels, rows, frames]`; both axes multiples of `config.multiple`.
            t_emb: `[batch, emb_channels]`, see `blocks.time_embedding`.
        """
        h = self.input_projection(x)
        skips = []
        for blocks, downsample in zip(self.enc_blocks, self.ds_layers, strict=True):
            h = downsample(blocks(h, self._condition(h.shape[2], t_emb)))
            skips.append(h)
        h = self.middle_block(h, self._condition(h.shape[2], t_emb))
        for blocks, upsample in zip(self.dec_blocks, self.us_layers, strict=True):
            h = upsample(blocks(h + skips.pop(), self._condition(h.shape[2], t_emb)))
        result: Tensor = self.output_projection(h)
        return result

    def _condition(self, rows: int, t_emb: Tensor) -> Tensor:
        """Return `[batch, band_embedding_dim + emb_channels, rows, 1]`, the same in every frame."""
        batch = t_emb.shape[0]
        times = t_emb[:, :, None, None].expand(-1, -1, rows, 1)
        if not self.config.band_embedding_dim:
            return times
        bands = band_embedding(rows, self.config.band_embedding_dim, t_emb.device)
        return torch.cat([bands[None, :, :, None].expand(batch, -1, -1, 1), times], dim=1)

    def _level(self, level: int, channels: int) -> "Level":
        blocks: list[nn.Module] = []
        for _ in range(self.config.num_res_blocks):
            blocks.append(self._residual(channels))
            if level in self.config.attention_levels:
                blocks.append(self._attention(channels))
        return Level(*blocks)

    def _residual(self, channels: int) -> ResBlock:
        config = self.config
        return ResBlock(channels, config.band_embedding_dim + config.emb_channels, config.dropout)

    def _attention(self, channels: int) -> Attention:
        config = self.config
        return Attention(channels, config.n_attn_heads, use_input_norm=config.use_attn_input_norm)

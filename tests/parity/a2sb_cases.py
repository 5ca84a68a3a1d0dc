"""What the golden cases of A2SB are made of: filled networks, numbered draws, damaged images."""

import zlib

import fill as filler
import numpy as np
import torch
from goldens import SALT
from published.a2sb import gap_frames

from audiofix.backends import build
from audiofix.backends.a2sb.blocks import time_embedding
from audiofix.backends.a2sb.image import uncompressed
from audiofix.backends.a2sb.masks import filled, first_masked_row, frame_mask, row_mask

NETWORK = {"rtol": 1e-5, "atol": 1e-5}
SAMPLER = {"rtol": 1e-4, "atol": 1e-4}
"""Absolute, from section 12 of the specification; a network's scale is about 1."""

EXACT = {"rtol": 1e-6, "atol": 1e-6}


def noise(name, shape, salt=SALT):
    """Return the noise that a golden's documentation names."""
    count = int(np.prod(shape))
    values = filler.uniform((zlib.crc32(name.encode()) << 20) + salt, count)
    return torch.from_numpy((np.sqrt(3) * values).astype(np.float32).reshape(shape))


class Draws:
    """Numbered draws in place of a generator's."""

    def __init__(self, prefix):
        self.prefix, self.count = prefix, 0

    def __call__(self, place, shape):
        """Give the next draw; `place` starts anew at each gap, the goldens count on."""
        self.count += 1
        return noise(f"{self.prefix}/{self.count - 1}", tuple(shape))


def filled_network(config, salt=SALT):
    return fill_all(build("a2sb", config), salt)


def fill_all(module, salt=SALT):
    names = [n for n, _ in module.named_parameters() if not n.endswith("pos_emb.freqs")]
    filler.fill(module, names, salt)
    return module.eval().requires_grad_(False)


def velocity_of(case):
    """Return the networks of a pair as a sampler calls them."""
    salts = case.config["split_salts"]
    networks = [filled_network(case.config["net"], salt) for salt in salts]
    cutoffs = case.config.get("t_cutoffs", [0.5])

    def velocity(images, t):
        network = networks[sum(t >= cutoff for cutoff in cutoffs)]
        times = torch.full((len(images),), t)
        return network(images, time_embedding(times, network.config.emb_channels))

    return velocity


def close(found, expected, tolerance):
    torch.testing.assert_close(found.detach(), expected, **tolerance)


def check_phases(found, expected):
    """Compare magnitudes, and phases weighted with them: those of empty bins hang on rounding."""
    close(found[0], expected[0], SAMPLER)
    weight = expected[:1].abs().clamp(max=1)
    close(weight * found[1:], weight * expected[1:], SAMPLER)


def check_image(found, expected):
    """Compare without the compression, which magnifies the rounding of empty bins."""
    check_phases(uncompressed(found), uncompressed(expected))


def damage(case, image, config, prefix):
    """Return the damaged image and its mask, as the case's corruptions make them."""
    draws = Draws(prefix)
    steps = []
    for about, span in zip(case.config["corruption"], spans_of(case), strict=True):
        if "Multinomial" in about["class"]:
            steps.append(row_mask(first_masked_row(span, config), image))
        else:
            steps.append(frame_mask([gap_frames(*span, config)], image))
    mask = torch.zeros_like(image)
    for step in steps:
        image = filled(image, step, draws(0, image.shape))
        mask = (mask + step).clamp(0, 1)
    return image, mask


def spans_of(case):
    """Return cutoff or gaps; section 12 of the specification names them."""
    bwe = any("Multinomial" in about["class"] for about in case.config["corruption"])
    return [4000.0] if bwe else [(0.015, 0.022), (0.045, 0.052)]

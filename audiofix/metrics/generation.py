"""Scores of generators, from a classifier's probabilities and features (specification, section 8).

All logarithms are natural; seeds are those of the published scores.
"""

import numpy as np

from audiofix.errors import InputError

Array = np.ndarray

_PAIRS_SEED = 123
_FLOOR = 1e-300
"""Probabilities below it would make a divergence infinite."""

_BINS, _BINS_SEED = 50, 0
_SIGNIFICANT = 1.959963984540054
"""Standard deviations that 5% of a normal distribution lie beyond."""


def inception_score(probabilities: Array, *, seed: int = 0) -> float:
    """Return how sure the classes are, and how varied (Salimans et al., 2016).

    One half of the samples, drawn by `seed`, is held against the mean of the other.

    Args:
        probabilities: `[samples, classes]`, float64.
        seed: of the halves.
    """
    shuffled = probabilities[np.random.RandomState(seed).permutation(len(probabilities))]
    half = len(shuffled) // 2
    mean = shuffled[half:].mean(0)
    return float(np.exp(_divergence(shuffled[:half], mean).mean()))


def modified_inception_score(probabilities: Array, *, pairs: int = 10_000) -> float:
    """Return how far samples are from each other, within classes too (Gurumurthy et al., 2017).

    Args:
        probabilities: `[samples, classes]`, float64.
        pairs: drawn with replacement.
    """
    chosen = np.random.RandomState(_PAIRS_SEED).randint(len(probabilities), size=(pairs, 2))
    first, second = probabilities[chosen[:, 0]], probabilities[chosen[:, 1]]
    return float(np.exp(_divergence(first, second).mean()))


def am_score(training: Array, generated: Array) -> float:
    """Return how far class frequencies are from the training data's, plus unsureness.

    Less is better (Zhou et al., 2018).

    Args:
        training: probabilities of real samples, `[samples, classes]`, float64.
        generated: probabilities of generated samples.
    """
    distance = _divergence(training.mean(0), generated.mean(0))
    return float(distance + _entropy(generated).mean())


def frechet_distance(real: Array, generated: Array) -> float:
    """Return the Fréchet distance of two normal distributions fitted to features.

    Args:
        real: `[samples, features]`.
        generated: `[samples, features]`.

    Raises:
        InputError: there are fewer than two samples, or no more samples than features, so that
            a covariance is no estimate.
    """
    real, generated = real.astype(np.float64), generated.astype(np.float64)
    for samples in (real, generated):
        if len(samples) <= samples.shape[1]:
            raise InputError(
                f"Fréchet distance: {len(samples)} samples cannot show the covariance of "
                f"{samples.shape[1]} features: use more than {samples.shape[1]} samples"
            )
    first, second = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    values, vectors = np.linalg.eigh(np.atleast_2d(first))
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ np.atleast_2d(second) @ root).clip(min=0)
    between = real.mean(0) - generated.mean(0)
    traces = np.trace(np.atleast_2d(first)) + np.trace(np.atleast_2d(second))
    return float(between @ between + traces - 2 * np.sqrt(shared).sum())


def different_bins(real: Array, generated: Array, *, bins: int = _BINS) -> float:
    """Return the share of clusters that generated samples fill otherwise than real ones do.

    Clusters are k-means of the real samples; a bin differs if a two-proportion z test says so at
    0.05 (NDB/K; Richardson and Weiss, 2018).

    Args:
        real: features, `[samples, features]`.
        generated: features, `[samples, features]`.
        bins: clusters.

    Raises:
        InputError: there are fewer real samples than bins.
    """
    if len(real) < bins:
        raise InputError(f"NDB: {len(real)} real samples do not fill {bins} bins: use more")
    centres = k_means(real.astype(np.float64), bins)
    shares = [
        np.bincount(nearest(samples, centres), minlength=bins) / len(samples)
        for samples in (real, generated)
    ]
    pooled = (shares[0] * len(real) + shares[1] * len(generated)) / (len(real) + len(generated))
    spread = np.sqrt(pooled * (1 - pooled) * (1 / len(real) + 1 / len(generated)))
    scores = np.abs(shares[0] - shares[1]) / np.maximum(spread, _FLOOR)
    return float((scores > _SIGNIFICANT).mean())


def linear_separability(latents: Array, probabilities: Array, *, kept: float = 0.5) -> float:
    """Return how badly a linear classifier finds the classes from the latents; 1 is best.

    `exp(H(mean class distribution) - I(classes, classes found))`, after StyleGAN (Karras et al.,
    2019). The samples that the classifier is surest of train a linear support vector machine,
    scikit-learn's `SVC`.

    Args:
        latents: `[samples, dimensions]`.
        probabilities: `[samples, classes]`, float64.
        kept: share of the samples that train it.
    """
    from sklearn.svm import SVC

    surest = np.argsort(-probabilities.max(1), kind="stable")[: max(2, int(len(latents) * kept))]
    labels = probabilities.argmax(1)
    found = np.full_like(labels, labels[surest[0]])
    if len(set(labels[surest])) > 1:
        found = SVC(kernel="linear").fit(latents[surest], labels[surest]).predict(latents)
    joint = np.zeros((probabilities.shape[1],) * 2)
    np.add.at(joint, (labels, found), 1 / len(labels))
    independent = joint.sum(1, keepdims=True) @ joint.sum(0, keepdims=True)
    information = _divergence(joint.ravel(), independent.ravel())
    return float(np.exp(_entropy(probabilities.mean(0)) - information))


def k_means(samples: Array, clusters: int, *, rounds: int = 100) -> Array:
    """Return the centres `[clusters, features]` of Lloyd's algorithm, begun by k-means++."""
    draw = np.random.RandomState(_BINS_SEED)
    centres = samples[[draw.randint(len(samples))]]
    while len(centres) < clusters:
        distance = ((samples[:, None] - centres[None]) ** 2).sum(2).min(1)
        total = distance.sum()
        chances = distance / total if total > 0 else None
        centres = np.concatenate([centres, samples[[draw.choice(len(samples), p=chances)]]])
    for _ in range(rounds):
        owner = nearest(samples, centres)
        moved = np.stack(
            [
                samples[owner == index].mean(0) if (owner == index).any() else centre
                for index, centre in enumerate(centres)
            ]
        )
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def nearest(samples: Array, centres: Array) -> Array:
    """Return the index of the centre that is nearest to each sample."""
    squares = (centres**2).sum(1) - 2 * samples @ centres.T
    index: Array = squares.argmin(1)
    return index


def _divergence(p: Array, q: Array) -> Array:
    p, q = np.maximum(p, _FLOOR), np.maximum(q, _FLOOR)
    divergence: Array = (p * (np.log(p) - np.log(q))).sum(-1)
    return divergence


def _entropy(p: Array) -> Array:
    p = np.maximum(p, _FLOOR)
    entropy: Array = -(p * np.log(p)).sum(-1)
    return entropy

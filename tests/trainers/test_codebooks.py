import numpy as np
import pytest
import torch
from audiofix.trainers.codebooks import codebooks_from, codeword_usage

from audiofix.errors import SettingsError
from audiofix.nn.vq import ResidualVQ


def rows(count=2000, dim=4):
    """Return correlated vectors `[count, dim]`."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, dim, generator=generator) @ torch.diag(torch.tensor([3.0, 1, 1, 0.3]))


def errors(quantiser, vectors):
    """Return the mean squared error after one codebook, after two, and so on."""
    codes = quantiser.search(vectors, quantiser.square_norms()).t()
    return [
        (vectors - quantiser.lookup(codes[: stage + 1])).square().mean().item()
        for stage in range(len(codes))
    ]


def test_every_codebook_leaves_less_than_the_one_before():
    quantiser, vectors = ResidualVQ(4, 32, 3), rows()
    codebooks_from(vectors, quantiser, seed=0)
    found = errors(quantiser.eval(), vectors)
    assert found[0] < 0.15 * vectors.square().mean().item()
    assert found[1] < 0.5 * found[0] and found[2] < 0.5 * found[1]


def test_words_are_the_means_of_the_rows_that_choose_them():
    """Lloyd's fixed point, on clusters that nobody can mistake."""
    centres = torch.tensor([[-9.0, 0], [9, 0], [0, 9], [0, -9]])
    generator = torch.Generator().manual_seed(1)
    vectors = centres.repeat(50, 1) + 0.1 * torch.randn(200, 2, generator=generator)
    for seed in range(20):
        quantiser = ResidualVQ(2, 4, 1)
        codebooks_from(vectors, quantiser, seed)
        words = quantiser.layers[0].embed.t()
        codes = quantiser.layers[0].search(vectors)
        for code in codes.unique():
            torch.testing.assert_close(words[code], vectors[codes == code].mean(0))
        assert torch.equal(quantiser.layers[0].embed_avg, quantiser.layers[0].embed)
        assert quantiser.layers[0].cluster_size.tolist() == [1] * 4


def test_the_seed_decides():
    def words(seed):
        quantiser = ResidualVQ(4, 16, 2)
        codebooks_from(rows(), quantiser, seed)
        return torch.stack([layer.embed for layer in quantiser.layers])

    assert torch.equal(words(1), words(1))
    assert not torch.equal(words(1), words(2))


def test_too_few_rows_are_refused():
    with pytest.raises(SettingsError, match="31 vectors for 32 codewords"):
        codebooks_from(rows(31), ResidualVQ(4, 32, 1), seed=0)


def test_words_in_use_are_counted():
    codes = torch.from_numpy(np.array([[0, 1, 2, 3] * 5, [7] * 20]))
    figures = codeword_usage(codes, 8)
    assert figures["perplexity_1"] == pytest.approx(4, rel=1e-5)
    assert figures["perplexity_2"] == pytest.approx(1, rel=1e-5)
    assert (figures["unused_codewords_1"], figures["unused_codewords_2"]) == (4, 7)

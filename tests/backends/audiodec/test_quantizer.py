import pytest
import torch
from audiofix.trainers.codebooks import codebooks_from

from audiofix.backends.audiodec.quantizer import PredictiveQuantizer
from audiofix.nn.state import StreamState

DIM, SIZE, BOOKS = 4, 32, 3


def walk(steps, seed):
    """Return two vectors that change slowly and stay near zero."""
    drawn = torch.randn(steps, 2, DIM, generator=torch.Generator().manual_seed(seed))
    z, vectors = torch.zeros(2, DIM), []
    for step in drawn:
        z = 0.9 * z + 0.3 * step
        vectors.append(z)
    return torch.stack(vectors, dim=2)


@pytest.fixture
def quantizer():
    made = PredictiveQuantizer(DIM, SIZE, BOOKS, candidates=4)
    made.prediction.copy_(torch.tensor([0.9, 0.8, 0.9, 0.7]))
    z = walk(1000, seed=0).mT
    rows = (z[:, 1:] - made.prediction * z[:, :-1]).flatten(0, 1)
    codebooks_from(rows, made.codebook, 0)
    return made


@pytest.fixture
def z():
    return walk(60, seed=1)


def test_whole_signals_and_streams_have_the_same_codes_and_vectors(quantizer, z):
    found = quantizer(z)
    assert found.vectors.shape == z.shape and found.codes.shape == (BOOKS, 2, 60)
    norms = quantizer.codebook.square_norms()
    for row in range(2):
        coder, decoder = StreamState(), StreamState()
        for part in z[row].t().split(7):
            codes = quantizer.encode(part, norms, coder)
            vectors = quantizer.decode(codes.t(), decoder)
            start = found.vectors[row].t()[: len(part)]
            assert vectors.shape == start.shape
        again = StreamState()
        codes = torch.cat([quantizer.encode(one, norms, again) for one in z[row].t().split(11)])
        assert torch.equal(codes.t(), found.codes[:, row])
        decoded = quantizer.decode(codes.t(), StreamState())
        torch.testing.assert_close(decoded.t(), found.vectors[row])


def test_errors_do_not_add_up(quantizer, z):
    """Late vectors are no coarser than early ones, and predicted ones finer than others."""
    error = (quantizer(z).vectors - z).square().mean(1)
    assert error[:, 30:].mean() < 2 * error[:, :30].mean()
    quantizer.prediction.zero_()
    assert (quantizer(z).vectors - z).square().mean() > 1.5 * error.mean()


def test_fewer_codebooks_follow_their_own_vectors(quantizer, z):
    """A stream of two codebooks does not drift: its encoder heard only two as well."""
    rows = z[0].t()
    codes = quantizer.encode(rows, quantizer.codebook.square_norms()[:2], StreamState())
    assert codes.shape == (60, 2)
    coarse = (quantizer.decode(codes.t(), StreamState()) - rows).square().mean()
    cut = quantizer.encode(rows, quantizer.codebook.square_norms(), StreamState())[:, :2]
    drifting = (quantizer.decode(cut.t(), StreamState()) - rows).square().mean()
    assert coarse < drifting

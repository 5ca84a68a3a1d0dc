import subprocess
import sys

import pytest
import torch

from audiofix.nn.vq import Codebook, ResidualVQ

PROCESS = """
import sys, torch
from torch import distributed
from audiofix.nn.vq import Codebook
rank, folder = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
state = torch.load(f"{folder}/words.pt")
codebook = Codebook(2, 4)
codebook.load_state_dict(state["codebook"])
rows = state["rows"][rank::2]
codebook.learn(rows, codebook.search(rows))
torch.save(codebook.state_dict(), f"{folder}/learnt-{rank}.pt")
distributed.destroy_process_group()
"""


def quantiser(codebooks=3, size=16, dim=4):
    torch.manual_seed(0)
    vq = ResidualVQ(dim, size, codebooks)
    for stage, codebook in enumerate(vq.layers):
        codebook.embed.mul_(0.5**stage)
    return vq.eval()


def test_search_finds_the_nearest_word():
    codebook = Codebook(4, 16)
    rows = torch.randn(50, 4)
    distances = torch.cdist(rows.double(), codebook.embed.t().double())
    assert torch.equal(codebook.search(rows), distances.argmin(1))


def test_of_equally_near_words_the_first_wins():
    codebook = Codebook(1, 4)
    codebook.embed.copy_(torch.tensor([[5.0, 1.0, -1.0, 1.0]]))
    assert codebook.search(torch.zeros(1, 1)).tolist() == [1]


def test_stages_leave_less_and_less():
    vq = quantiser()
    x = torch.randn(2, 30, 4)
    result = vq(x)
    assert result.codes.shape == (3, 2, 30)
    errors = [(x - vq.lookup(result.codes[:books])).square().mean() for books in (1, 2, 3)]
    assert errors[0] > errors[1] > errors[2]
    torch.testing.assert_close(torch.stack(errors), result.losses)
    torch.testing.assert_close(vq.lookup(result.codes), result.vectors)
    searched = vq.search(x.flatten(0, 1), vq.square_norms())
    assert torch.equal(searched.t().view_as(result.codes), result.codes)


def test_perplexity_counts_the_words_in_use():
    vq = quantiser(codebooks=1)
    words = vq.layers[0].embed.t()
    result = vq(words[[0, 1, 2, 3]].view(1, 4, 4))
    assert float(result.perplexities[0]) == pytest.approx(4, rel=1e-4)
    assert float(result.losses[0]) == pytest.approx(0, abs=1e-12)


def test_only_the_first_stage_teaches_the_encoder():
    vq = quantiser().train()
    x = torch.randn(1, 8, 4, requires_grad=True)
    before = vq.layers[0].embed.clone()
    first = vq.layers[0].lookup(vq.layers[0].search(x.detach()[0]))
    result = vq(x)
    (result.vectors.sum() + result.losses.sum()).backward()
    torch.testing.assert_close(x.grad[0], 1 + 2 * (x.detach()[0] - first) / x.numel())
    assert not torch.equal(vq.layers[0].embed, before)


def test_a_word_moves_to_the_mean_of_its_rows():
    codebook = Codebook(2, 4)
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    codes = torch.tensor([2, 2])
    for _ in range(200):
        codebook.learn(rows, codes)
    torch.testing.assert_close(codebook.embed[:, 2], torch.tensor([2.0, 3.0]), rtol=1e-3, atol=0)


def test_processes_teach_one_codebook_together(tmp_path):
    codebook, rows = Codebook(2, 4), torch.randn(40, 2)
    torch.save({"codebook": codebook.state_dict(), "rows": rows}, tmp_path / "words.pt")
    members = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(rank), str(tmp_path)])
        for rank in range(2)
    ]
    codebook.learn(rows, codebook.search(rows))
    assert [member.wait(timeout=120) for member in members] == [0, 0]
    for rank in range(2):
        learnt = torch.load(tmp_path / f"learnt-{rank}.pt")
        for name, tensor in codebook.state_dict().items():
            torch.testing.assert_close(learnt[name], tensor)


def test_following_several_sums_comes_nearer():
    torch.manual_seed(0)
    vq, rows = ResidualVQ(6, 16, 4), torch.randn(200, 6)
    norms = vq.square_norms()

    def error(codes):
        return (vq.lookup(codes.t()) - rows).square().sum(1)

    greedy = vq.search(rows, norms)
    assert torch.equal(vq.search_best(rows, norms, 1), greedy)
    assert error(vq.search_best(rows, norms, 8)).mean() < 0.9 * error(greedy).mean()
    every = torch.cartesian_prod(*[torch.arange(16)] * 2)
    sums = vq.lookup(every.t())
    exact = torch.cdist(rows, sums).square().amin(1)
    found = error(vq.search_best(rows, norms[:2], 16 * 16))
    torch.testing.assert_close(found, exact, rtol=1e-3, atol=1e-3)

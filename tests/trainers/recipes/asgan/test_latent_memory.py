import torch
from audiofix.trainers.recipes.asgan.latent_memory import LatentMemory


def test_the_last_latents_of_each_label_are_kept():
    memory = LatentMemory(labels=2, size=2, w_dim=1, device=torch.device("cpu"))
    memory.keep(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([0, 0, 0]))
    assert not memory.is_full
    memory.keep(torch.tensor([[7.0], [8.0]]), torch.tensor([1, 1]))
    assert memory.is_full
    found = memory.draw(50)
    assert found.shape == (2, 50, 1)
    assert set(found[0].flatten().tolist()) == {2, 3}  # 1 was the oldest
    assert set(found[1].flatten().tolist()) == {7, 8}


def test_the_state_goes_on():
    memory, other = (LatentMemory(1, 2, 3, torch.device("cpu")) for _ in range(2))
    memory.keep(torch.ones(3, 3), torch.zeros(3, dtype=torch.long))
    other.load_state_dict(memory.state_dict())
    assert other.is_full and other.draw(4).eq(1).all()

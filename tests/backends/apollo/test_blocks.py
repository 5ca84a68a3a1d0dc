import plain_apollo
import torch

from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.network import Apollo


def test_the_plain_twin_has_the_same_values_and_gradients():
    torch.manual_seed(0)
    network = Apollo(ApolloConfig(feature_dim=16, layer=1))
    x = 0.1 * torch.randn(1, 2, 3000)
    found = {}
    for name, forward in {
        "own": network,
        "plain": lambda y: plain_apollo.forward(network, y),
    }.items():
        network.zero_grad()
        y = forward(x)
        y[..., :2646].square().mean().backward()  # without the spike after the last whole hop
        gradients = {key: one.grad.clone() for key, one in network.named_parameters()}
        found[name] = (y.detach(), gradients)
    own, plain = found["own"], found["plain"]
    torch.testing.assert_close(own[0][..., :2646], plain[0][..., :2646], rtol=0, atol=1e-6)
    assert own[1].keys() == plain[1].keys()
    for key in own[1]:
        error = torch.linalg.vector_norm(own[1][key] - plain[1][key])
        assert error <= 1e-4 * torch.linalg.vector_norm(plain[1][key]) + 1e-12, key


def test_working_in_place_gives_the_same_values():
    torch.manual_seed(0)
    network = Apollo(ApolloConfig(feature_dim=16, layer=2)).requires_grad_(False)
    x = 0.1 * torch.randn(1, 1, 20000)
    with torch.no_grad():
        tiled = network(x)
    torch.testing.assert_close(tiled, network(x), rtol=1e-4, atol=1e-5)

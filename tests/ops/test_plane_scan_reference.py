import torch

from audiofix.ops.plane_scan_reference import plane_scan_reference


def test_a_walk_by_hand() -> None:
    """Step log 2, decay 1/2 (A = -1), B = C = 1, D = 0: each route halves and adds."""
    plane = torch.tensor([[[[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]]], dtype=torch.float64)
    step = torch.log(torch.tensor(2.0, dtype=torch.float64))
    ones = torch.ones(1, 4, 3, 2, 3, dtype=torch.float64)
    ones[:, :, 0] = 0  # the step's factor
    expected = torch.zeros(2, 3, dtype=torch.float64)
    rows = [(y, x) for y in range(2) for x in range(3)]
    columns = [(y, x) for x in range(3) for y in range(2)]
    for route in (rows, columns, rows[::-1], columns[::-1]):
        state = torch.zeros((), dtype=torch.float64)
        for place in route:
            state = state / 2 + step * plane[0, 0][place]
            expected[place] += state
    weights = torch.ones(4, 1, 1, dtype=torch.float64)
    nothing = torch.zeros(4, 1, dtype=torch.float64)
    out = plane_scan_reference(plane, ones, weights, nothing, -weights, nothing)
    torch.testing.assert_close(out[0, 0], expected)

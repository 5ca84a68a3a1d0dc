import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch


@pytest.fixture
def authors_file(tmp_path, monkeypatch):
    """Write a checkpoint as the authors do: a pickle that holds a whole yacs configuration."""
    yacs, config_module = types.ModuleType("yacs"), types.ModuleType("yacs.config")

    class CfgNode(dict):
        def __init__(self, content):
            super().__init__(content)
            self.__dict__.update(
                __immutable__=False, __deprecated_keys__=set(), __renamed_keys__={},
                __new_allowed__=False,
            )  # fmt: skip

    CfgNode.__module__, CfgNode.__qualname__ = "yacs.config", "CfgNode"
    config_module.CfgNode = CfgNode
    monkeypatch.setitem(sys.modules, "yacs", yacs)
    monkeypatch.setitem(sys.modules, "yacs.config", config_module)

    def write(network, interact, target):
        tree = CfgNode(
            {
                "DATA": CfgNode({"TARGET_SR": target, "SEGMENT": 2.555}),
                "MODEL": CfgNode({"VSSM": CfgNode({"INTERACT": interact, "DIMS": 16,
                                                   "LOW_FREQ_REPLACEMENT": False})}),
            }
        )  # fmt: skip
        path = tmp_path / "checkpoint-best-G.pth"
        content = {
            "name": "G",
            "epoch": 12,
            "state_dict": OrderedDict(network.state_dict()),
            "optimizer": {
                "state": {0: {"step": torch.tensor(3.0)}},
                "param_groups": [{"lr": 1e-3}],
            },
            "monitor_best": np.float64(0.5),
            "config": tree,
        }
        torch.save(content, path)
        monkeypatch.delitem(sys.modules, "yacs.config")
        monkeypatch.delitem(sys.modules, "yacs")
        return path

    return write

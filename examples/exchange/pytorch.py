#!/usr/bin/env python3
"""PyTorch's side of the exchange; `src/main.rs` is the other one.

    python pytorch.py check FOLDER NAME    # FOLDER/NAME.safetensors here gives the outputs that it gave there
    python pytorch.py train FOLDER         # a module trained here: theirs.safetensors and theirs.double.safetensors

Needs torch and safetensors. Beside each file lie 1,000 inputs and their outputs in single precision, theirs.inputs.npy and
theirs.outputs.npy for both of `train`.
"""

import math
import os
import sys

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn


class Skip(nn.Sequential):
    """Residual<(Dense<32, 16, Relu>, Dense<16, 32>)>: y = x + F(x), and the names are those of the layers inside."""

    def __init__(self):
        super().__init__(nn.Linear(32, 16), nn.Linear(16, 32))

    def forward(self, x):
        return x + self[1](torch.relu(self[0](x)))


class Controller(nn.Module):
    """As `network!` defines it in src/lib.rs, field by field; activations belong to no field here."""

    def __init__(self):
        super().__init__()
        self.entry = nn.Linear(8, 32)
        self.norm = nn.LayerNorm(32)
        self.skip = Skip()
        self.slopes = nn.PReLU(32)
        self.output = nn.Linear(32, 4)

    def forward(self, x):
        x = self.norm(torch.tanh(self.entry(x)))
        return self.output(self.slopes(self.skip(x)))


def array(tensor):
    return numpy.array(tensor.tolist(), dtype=numpy.float32)


def check(folder, name):
    network = Controller()
    network.load_state_dict(load_file(os.path.join(folder, f"{name}.safetensors")))
    stem = os.path.join(folder, name.removesuffix(".double"))
    inputs, expected = (numpy.load(f"{stem}.{what}.npy") for what in ("inputs", "outputs"))
    with torch.no_grad():
        outputs = array(network(torch.tensor(inputs.tolist())))
    worst = numpy.max(numpy.abs(outputs - expected))
    print(f"PyTorch {torch.__version__}: {name}, {len(inputs)} inputs: outputs differ by {worst:.2e} at most")
    assert outputs.shape == expected.shape == (1000, 4) and worst <= 1e-6


def train(folder):
    torch.manual_seed(1)
    network = Controller()
    rule = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(300):
        x = torch.rand(64, 8) * 2 - 1
        target = torch.stack([x[:, 0] * x[:, 1], (math.pi * x[:, 2]).sin(), x[:, 3:].mean(1), x[:, 4].abs()], 1)
        loss = ((network(x) - target) ** 2).mean()
        rule.zero_grad()
        loss.backward()
        rule.step()
    inputs = torch.rand(1000, 8) * 2 - 1
    with torch.no_grad():
        outputs = network(inputs)
    stem = os.path.join(folder, "theirs")
    save_file(network.state_dict(), f"{stem}.safetensors")
    save_file(network.double().state_dict(), f"{stem}.double.safetensors")
    numpy.save(f"{stem}.inputs.npy", array(inputs))
    numpy.save(f"{stem}.outputs.npy", array(outputs))
    print(f"PyTorch {torch.__version__}: trained to a loss of {loss.item():.4f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["check", folder, name]:
            check(folder, name)
        case ["train", folder]:
            train(folder)
        case _:
            sys.exit(__doc__)

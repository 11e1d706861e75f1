#!/usr/bin/env python3
"""Writes trajectories.csv: training in PyTorch, float64, by its own automatic differentiation and its own optimisers.

    pip install torch
    python tests/golden/generate.py > tests/golden/trajectories.csv

Conventions, so that the two sides mean the same:
  * weights are out × in, as here; a sample is a row there and a column here;
  * mse_loss, reduction 'mean': the mean over outputs and batch; cross_entropy and
    binary_cross_entropy_with_logits likewise;
  * SGD with momentum: v <- mu v + g, w <- w - lr v, no dampening; Adam: epsilon outside the root;
  * initial weights and data are multiples of 1/64 from the linear congruential generator below, the same code in
    tests/training.rs, so that no file has to carry them.
"""

import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
STEPS = 20
BATCH = 4


class Draws:
    """x <- (1103515245 x + 12345) mod 2^31, the upper bits, as a multiple of 1/64 in [-1, 1)."""

    def __init__(self, seed):
        self.x = seed

    def next(self):
        self.x = (1103515245 * self.x + 12345) % 2**31
        return ((self.x >> 16) % 128 - 64) / 64.0

    def matrix(self, rows, columns):
        return torch.tensor([[self.next() for _ in range(columns)] for _ in range(rows)])


# name, widths, activation of all layers but the last, loss
NETWORKS = [
    ("tanh_mse", (3, 4, 2), torch.tanh, "mse"),
    ("sigmoid_bce", (3, 4, 2), torch.sigmoid, "bce"),
    ("relu_ce", (3, 4, 3), torch.relu, "ce"),
    ("softplus_ce_distribution", (3, 4, 3), F.softplus, "distribution"),
    ("leaky_mse", (3, 4, 2), lambda z: F.leaky_relu(z, 0.25), "mse"),
]

OPTIMIZERS = [
    ("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
    ("momentum", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    ("adam", lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.9, 0.999), eps=1e-8)),
]


def loss_of(kind, logits, targets):
    if kind == "mse":
        return F.mse_loss(logits, targets)
    if kind == "bce":
        return F.binary_cross_entropy_with_logits(logits, (targets + 1) / 2)
    if kind == "ce":
        # The class: the first of the largest of the target's numbers.
        return F.cross_entropy(logits, targets.argmax(dim=1))
    weights = (targets + 1.125) / (targets + 1.125).sum(dim=1, keepdim=True)
    return F.cross_entropy(logits, weights)


def run(network, optimizer):
    name, widths, activation, kind = network
    draws = Draws(len(name))
    parameters = []
    for inputs, outputs in zip(widths, widths[1:]):
        parameters.append(draws.matrix(outputs, inputs).requires_grad_())
        parameters.append(draws.matrix(1, outputs)[0].requires_grad_())
    rule = optimizer[1](parameters)
    for step in range(1, STEPS + 1):
        x = draws.matrix(BATCH, widths[0])
        targets = draws.matrix(BATCH, widths[-1])
        for i in range(0, len(parameters), 2):
            x = x @ parameters[i].T + parameters[i + 1]
            if i + 2 < len(parameters):
                x = activation(x)
        loss = loss_of(kind, x, targets)
        rule.zero_grad()
        loss.backward()
        rule.step()
        if step in (1, 2, STEPS):
            # Weights row by row, as on paper.
            values = [loss.item()] + [v for p in parameters for v in p.detach().flatten().tolist()]
            print(f"{name},{optimizer[0]},{step}," + ",".join(repr(v) for v in values))


print(f"# PyTorch {torch.__version__.split('+')[0]}, Python {sys.version.split()[0]}, float64, by generate.py")
print("# network,optimizer,step,loss before the step,weights and bias of each layer after it")
for network in NETWORKS:
    for optimizer in OPTIMIZERS:
        run(network, optimizer)

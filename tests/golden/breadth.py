#!/usr/bin/env python3
"""Writes breadth.txt: what PyTorch, in float64, makes of every piece that it has too.

    pip install torch
    python tests/golden/breadth.py > tests/golden/breadth.txt

Values come from PyTorch's own functions, gradients from its automatic differentiation, trajectories from its own
optimisers and schedulers. One record a line: a kind, a name, and numbers; `|` separates groups of them.

Conventions, so that the two sides mean the same:
  * losses are of one sample; 'mean' over its outputs where the loss has a mean;
  * cross entropy with class weights has reduction 'none': PyTorch's 'mean' divides by the sum of the weights;
  * the loss `binary_hinge` is not in PyTorch: its formula is written here, its gradient is autograd's;
  * clipping by norm is written here as g * min(1, limit / norm): PyTorch adds 1e-6 to the norm;
  * AdamW here decays one group of parameters and spares the other, as weight and bias.
"""

import math
import platform

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(x):
    x = x.detach().flatten().tolist() if isinstance(x, torch.Tensor) else x
    return " ".join(repr(float(v)) for v in x)


def record(kind, name, *groups):
    print(kind, name, " | ".join(numbers(g) for g in groups))


print(f"# PyTorch {torch.__version__}, Python {platform.python_version()}, float64")

# ---------------------------------------------------------------- activations: z | value | derivative
Z = [-90.0, -40.0, -12.0, -7.5, -5.0, -3.25, -2.0, -1.5, -1.0, -0.75, -0.3, -1e-3, -1e-9]
Z = Z + [0.0] + [-z for z in reversed(Z)]
activations = {
    "Elu": F.elu,
    "Selu": F.selu,
    "Gelu": F.gelu,
    "GeluTanh": lambda z: F.gelu(z, approximate="tanh"),
    "Silu": F.silu,
    "Mish": F.mish,
    "HardSigmoid": F.hardsigmoid,
    "HardTanh": F.hardtanh,
    "Identity": lambda z: z * 1.0,
    "LeakyRelu": lambda z: F.leaky_relu(z, 0.01),
    "Relu": F.relu,
    "Sigmoid": torch.sigmoid,
    "Softplus": lambda z: F.softplus(z, threshold=1000.0),
    "Tanh": torch.tanh,
}
for name, f in activations.items():
    z = torch.tensor(Z, requires_grad=True)
    y = f(z)
    (d,) = torch.autograd.grad(y.sum(), z)
    record("activation", name, Z, y, d)

# ---------------------------------------------------------------- losses: output | target | loss | gradient
Y = [0.7, -1.3, 2.4, 0.1]
distribution = [0.1, 0.2, 0.0, 0.7]
values = [0.5, 1.0, -2.0, 0.15]
signs = [1.0, -1.0, -1.0, 1.0]
weights = torch.tensor([0.5, 2.0, 1.0, 3.0])


def row(t):
    return torch.tensor(t).unsqueeze(0)


losses = {
    "MeanAbsoluteError": (values, lambda y, t: F.l1_loss(y, row(t))),
    "Huber": (values, lambda y, t: F.huber_loss(y, row(t), delta=0.75)),
    "Hinge": ([0.0], lambda y, t: F.multi_margin_loss(y, torch.tensor([int(t[0])]))),
    "BinaryHinge": (signs, lambda y, t: torch.clamp(1 - row(t) * y, min=0).mean()),
    "KullbackLeibler": (distribution, lambda y, t: F.kl_div(F.log_softmax(y, 1), row(t), reduction="sum")),
    "CosineDistance": (values, lambda y, t: 1 - F.cosine_similarity(y, row(t)).sum()),
    "LabelSmoothing": ([1.0], lambda y, t: F.cross_entropy(y, torch.tensor([int(t[0])]), label_smoothing=0.2)),
    "ClassWeights": (
        [3.0],
        lambda y, t: F.cross_entropy(y, torch.tensor([int(t[0])]), weight=weights, reduction="none").sum(),
    ),
}
for name, (target, f) in losses.items():
    y = row(Y).requires_grad_(True)
    loss = f(y, target)
    (d,) = torch.autograd.grad(loss, y)
    record("loss", name, Y, target, [loss.item()], d)

# ---------------------------------------------------------------- layers: x | parameters | output | gradients
X = [[0.5, -1.25, 3.0], [2.0, 2.5, -0.75]]  # two samples
D = [[1.0, -0.5, 0.25], [-2.0, 0.75, 1.5]]  # the gradient that comes back
gain, bias, slope = [1.5, -0.5, 0.75], [0.1, 0.2, -0.3], [0.25, -0.5, 0.125]

x = torch.tensor(X, requires_grad=True)
g, b = torch.tensor(gain, requires_grad=True), torch.tensor(bias, requires_grad=True)
y = F.layer_norm(x, (3,), g, b, eps=1e-5)
d = torch.autograd.grad(y, (x, g, b), torch.tensor(D))
record("layer", "LayerNorm", torch.tensor(X), gain + bias, y, torch.tensor(D), *d)

x = torch.tensor(X, requires_grad=True)
s = torch.tensor(slope, requires_grad=True)
y = F.prelu(x, s)
d = torch.autograd.grad(y, (x, s), torch.tensor(D))
record("layer", "Prelu", torch.tensor(X), slope, y, torch.tensor(D), *d)

# ---------------------------------------------------------------- optimisers: gradients and weights of every step
START = [1.0, -0.5, 0.25, 2.0]
STEPS = 25
# Changing signs, changing sizes, an exact zero now and then.
GRADIENTS = [
    [0.0 if (t + k) % 11 == 10 else math.sin(1.7 * t + k) * 10.0 ** ((t + 3 * k) % 5 - 3) for k in range(4)]
    for t in range(STEPS)
]
record("start", "-", START)
for t in range(STEPS):
    record("gradient", "-", GRADIENTS[t])


def clip_norm(g):
    return g * min(1.0, 0.5 / g.norm().item())


def trajectory(name, make, rewrite=lambda g: g, schedule=None):
    # The first half of the parameters plays the weight, the second the bias.
    halves = [torch.tensor(START[:2], requires_grad=True), torch.tensor(START[2:], requires_grad=True)]
    optimizer = make(*halves)
    scheduler = schedule(optimizer) if schedule else None
    for t in range(STEPS):
        g = rewrite(torch.tensor(GRADIENTS[t]))
        halves[0].grad, halves[1].grad = g[:2].clone(), g[2:].clone()
        optimizer.step()
        if scheduler:
            scheduler.step()
        record("trajectory", name, torch.cat([h.detach() for h in halves]))


O = torch.optim
trajectory("Nesterov", lambda w, b: O.SGD([w, b], lr=0.05, momentum=0.9, nesterov=True))
trajectory("RmsProp", lambda w, b: O.RMSprop([w, b], lr=0.01))
trajectory("Adagrad", lambda w, b: O.Adagrad([w, b], lr=0.1))
trajectory("Rprop", lambda w, b: O.Rprop([w, b], lr=0.01))
trajectory(
    "AdamW",
    lambda w, b: O.AdamW([{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}], lr=0.02),
)
trajectory("LayerRates", lambda w, b: O.Adam([{"params": [w], "lr": 0.002}, {"params": [b], "lr": 0.02}]))
trajectory("ClipValue", lambda w, b: O.SGD([w, b], lr=0.1), lambda g: g.clamp(-0.5, 0.5))
trajectory("ClipNorm", lambda w, b: O.SGD([w, b], lr=0.1), clip_norm)
trajectory(
    "Scheduled",
    lambda w, b: O.Adam([w, b], lr=0.05),
    schedule=lambda o: O.lr_scheduler.StepLR(o, step_size=7, gamma=0.5),
)

# ---------------------------------------------------------------- schedules: factors of 25 steps


def factors(name, make):
    optimizer = O.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    record("schedule", name, found)


L = O.lr_scheduler
factors("StepDecay", lambda o: L.StepLR(o, step_size=4, gamma=0.3))
factors("ExponentialDecay", lambda o: L.ExponentialLR(o, gamma=0.9))
# PyTorch turns upwards again after T_max, so the comparison ends there.
factors("CosineDecay", lambda o: L.CosineAnnealingLR(o, T_max=25, eta_min=0.1))
factors("WarmUp", lambda o: L.LinearLR(o, start_factor=1 / 8, end_factor=1.0, total_iters=7))

# ---------------------------------------------------------------- averaged weights: weights of a step | averages
for name, function in {
    "exponential": O.swa_utils.get_ema_multi_avg_fn(0.9),
    "mean": O.swa_utils.get_swa_multi_avg_fn(),
}.items():
    model = torch.nn.Linear(2, 1)
    averaged = O.swa_utils.AveragedModel(model, multi_avg_fn=function)
    for t in range(6):
        with torch.no_grad():
            model.weight.copy_(torch.tensor([GRADIENTS[t][:2]]))
            model.bias.copy_(torch.tensor(GRADIENTS[t][2:3]))
        averaged.update_parameters(model)
        record("average", name, GRADIENTS[t][:3], torch.cat([p.detach().flatten() for p in averaged.module.parameters()]))

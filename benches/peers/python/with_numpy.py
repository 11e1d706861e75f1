"""A network of NumPy arrays; every result of a step is written into an array that stands."""


import numpy as np
from peer import serve


class Network:
    def __init__(self, task):
        self.task = task
        self.tanh = task.activation == "tanh"
        self.weights = [np.ascontiguousarray(w.T) for w, _ in task.layers]
        self.biases = [b for _, b in task.layers]
        self.gradients = [(np.zeros_like(w), np.zeros_like(b)) for w, b in zip(self.weights, self.biases)]
        self.moments = [[np.zeros_like(p) for _ in range(2)] for p in self.weights + self.biases]
        self.values = [np.zeros((task.batch, size), np.float32) for size in task.sizes[1:]]
        self.deltas = [np.zeros_like(y) for y in self.values]
        self.steps = 0

    def forward(self, x):
        for w, b, y in zip(self.weights, self.biases, self.values):
            np.matmul(x, w, out=y)
            y += b
            if y is not self.values[-1]:
                np.tanh(y, out=y) if self.tanh else np.maximum(y, 0, out=y)
            x = y
        return x

    def step(self, x, t):
        y, d = self.forward(x), self.deltas[-1]
        if self.task.loss == "cross-entropy":
            np.subtract(y, y.max(axis=1, keepdims=True), out=d)
            np.exp(d, out=d)
            d /= d.sum(axis=1, keepdims=True)
            d -= t
            d *= 1 / len(y)
        else:
            np.subtract(y, t, out=d)
            d *= 2 / y.size
        for i in reversed(range(len(self.weights))):
            d, source = self.deltas[i], self.values[i - 1] if i else x
            np.matmul(source.T, d, out=self.gradients[i][0])
            np.sum(d, axis=0, out=self.gradients[i][1])
            if i:
                before = self.deltas[i - 1]
                np.matmul(d, self.weights[i].T, out=before)
                before *= 1 - source * source if self.tanh else source > 0
        self.update()
        return d

    def update(self):
        self.steps += 1
        gradients = [g for g, _ in self.gradients] + [g for _, g in self.gradients]
        for w, g, (m, v) in zip(self.weights + self.biases, gradients, self.moments):
            if self.task.optimizer == "sgd":
                g *= self.task.rate
                w -= g
                continue
            m *= 0.9
            v *= 0.999
            v += 0.001 * (g * g)
            g *= 0.1
            m += g
            np.sqrt(v, out=g)
            g *= 1 / np.sqrt(1 - 0.999**self.steps).item()
            g += 1e-8
            np.divide(m, g, out=g)
            g *= self.task.rate / (1 - 0.9**self.steps)
            w -= g

    def run(self, turns):
        inputs, targets = self.task.inputs, self.task.targets
        for turn in turns:
            if self.task.trains:
                last = self.step(inputs[turn], targets[turn])
            else:
                last = self.forward(inputs[turn])
        return last.flat[0]

    def outputs(self, turn):
        return self.forward(self.task.inputs[turn])


serve(Network)

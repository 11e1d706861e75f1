"""A network of PyTorch modules, on one thread, with the fused optimisers."""

import torch
from peer import SAMPLES, TURNS, serve
from torch import nn

torch.set_num_threads(1)


class Network:
    def __init__(self, task):
        self.task = task
        layers = []
        for weights, bias in task.layers:
            layer = nn.Linear(weights.shape[1], weights.shape[0])
            layer.weight.data, layer.bias.data = torch.from_numpy(weights), torch.from_numpy(bias)
            layers += [layer, nn.Tanh() if task.activation == "tanh" else nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        self.inputs = [torch.from_numpy(x) for x in task.inputs]
        self.targets = [torch.from_numpy(t) for t in task.targets]
        if task.loss == "cross-entropy":
            self.loss, self.targets = nn.CrossEntropyLoss(), [t.argmax(dim=1) for t in self.targets]
        else:
            self.loss = nn.MSELoss()
        optimizer = torch.optim.Adam if task.optimizer == "adam" else torch.optim.SGD
        self.optimizer = optimizer(self.model.parameters(), lr=task.rate, fused=True) if task.trains else None

    def step(self, x, t):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.model(x), t)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def run(self, iterations):
        if self.task.trains:
            for i in range(iterations):
                last = self.step(self.inputs[i % TURNS], self.targets[i % TURNS])
        else:
            with torch.inference_mode():
                for i in range(iterations):
                    last = self.model(self.inputs[i % SAMPLES])
        return last.flatten()[0].item()

    def outputs(self):
        with torch.inference_mode():
            return torch.cat([self.model(x) for x in self.inputs]).numpy()


serve(Network)

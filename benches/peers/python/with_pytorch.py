"""A network of PyTorch modules, on one thread, with the fused optimisers."""

import torch
from peer import serve
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

    def run(self, turns):
        if self.task.trains:
            for turn in turns:
                last = self.step(self.inputs[turn], self.targets[turn])
        else:
            with torch.inference_mode():
                for turn in turns:
                    last = self.model(self.inputs[turn])
        return last.flatten()[0].item()

    def outputs(self, turn):
        with torch.inference_mode():
            return self.model(self.inputs[turn]).numpy()


serve(Network)

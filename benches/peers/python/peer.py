"""What a peer in Python says to `run`, by lines on standard input and output. README.md describes it."""

import itertools
import sys
import time

import numpy


class Task:
    def __init__(self, line):
        path, rate, self.name = line.split(" ", 2)
        network, self.activation, *training = self.name.split(" ")
        self.sizes = [int(size) for size in network.split("-")]
        self.rate = float(rate)
        self.trains = bool(training)
        self.batch, self.optimizer, self.loss = int(training[0]) if training else 1, *(training[1:] or ("", ""))
        numbers = numpy.fromfile(path, dtype="<f4")
        taken = 0

        def take(*shape):
            nonlocal taken
            start, taken = taken, taken + int(numpy.prod(shape))
            return numbers[start:taken].reshape(shape).copy()

        # (weights, bias), a row of weights an output.
        self.layers = [(take(j, i), take(j)) for i, j in zip(self.sizes, self.sizes[1:])]
        # Batches, or samples where there is no batch.
        turns = (numbers.size - taken) // (self.batch * (self.sizes[0] + self.sizes[-1]))
        # A row is a sample.
        self.inputs = list(take(turns, self.batch, self.sizes[0]))
        self.targets = list(take(turns, self.batch, self.sizes[-1]))


def serve(load):
    """`load` makes of a task an object with `run(turns)`, a prediction or a step for each number of a batch or sample,
    which returns a number that depends on the last one, and `outputs(turn)`, those of one batch or sample, a row a sample.
    It raises NotImplementedError for what it cannot."""
    work, task = None, None
    for line in sys.stdin:
        verb, rest = line.rstrip("\n").split(" ", 1)
        if verb == "load":
            task = Task(rest)
            try:
                work = load(task)
                answer = "ok"
            except NotImplementedError as error:
                answer = f"cannot {error}"
        elif verb == "run":
            first, iterations = map(int, rest.split())
            turns = itertools.islice(itertools.cycle(range(len(task.inputs))), first, first + iterations)
            start = time.perf_counter()
            last = work.run(turns)
            answer = f"{time.perf_counter() - start:e} {float(last)}"
        else:
            samples = int(rest)
            outputs = [numpy.array(work.outputs(turn)) for turn in range(-(-samples // task.batch))]
            answer = " ".join(f"{y:.9g}" for y in numpy.ravel(numpy.concatenate(outputs)[:samples]))
        print(answer, flush=True)

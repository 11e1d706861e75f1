"""What a peer in Python says to `run`, by lines on standard input and output. README.md describes it."""

import sys
import time

import numpy

TURNS, SAMPLES, COMPARED = 4, 64, 4


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
        turns = TURNS if self.trains else SAMPLES
        # A row is a sample.
        self.inputs = list(take(turns, self.batch, self.sizes[0]))
        self.targets = list(take(turns, self.batch, self.sizes[-1]))


def serve(load):
    """`load` makes of a task an object with `run(iterations)`, which returns a number that depends on the last one, and
    `outputs()`, those of sample or batch 0 and on, a row a sample. It raises NotImplementedError for what it cannot."""
    work, outputs = None, 0
    for line in sys.stdin:
        verb, rest = line.rstrip("\n").split(" ", 1)
        if verb == "load":
            task = Task(rest)
            outputs = task.sizes[-1]
            try:
                work = load(task)
                answer = "ok"
            except NotImplementedError as error:
                answer = f"cannot {error}"
        elif verb == "run":
            start = time.perf_counter()
            last = work.run(int(rest))
            answer = f"{time.perf_counter() - start:e} {float(last)}"
        else:
            answer = " ".join(f"{y:.9g}" for y in numpy.ravel(work.outputs())[: COMPARED * outputs])
        print(answer, flush=True)

#!/usr/bin/env python3
"""ONNX from safetensors, checked with onnxruntime.

    python onnx_export.py FOLDER NAME      # FOLDER/NAME.safetensors to FOLDER/NAME.onnx

Needs numpy, onnx, onnxruntime and safetensors, but not PyTorch. The model must give FOLDER/NAME.outputs.npy for
FOLDER/NAME.inputs.npy. For a network of your own, change `graph`: one line a layer.
"""

import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


def graph(node):
    """The network `Controller` of src/lib.rs. `weight` is [OUT, IN], hence transB."""

    def dense(x, layer):
        return node("Gemm", x, f"{layer}.weight", f"{layer}.bias", transB=1)

    x = node("Tanh", dense("input", "entry"))
    x = node("LayerNormalization", x, "norm.weight", "norm.bias", axis=-1, epsilon=1e-5)
    x = node("Add", x, dense(node("Relu", dense(x, "skip.0")), "skip.1"))
    x = node("PRelu", x, "slopes.weight")
    dense(x, "output")


def export(folder, name):
    path = os.path.join(folder, name)
    weights = load_file(f"{path}.safetensors")
    nodes = []

    def node(kind, *inputs, **attributes):
        output = f"{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    graph(node)
    nodes[-1].output[0] = "output"
    inputs, expected = (numpy.load(f"{path}.{what}.npy") for what in ("inputs", "outputs"))
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, ["batch", array.shape[1]])
        for end, array in (("input", inputs), ("output", expected))
    ]
    initializers = [numpy_helper.from_array(w.astype(numpy.float32), key) for key, w in weights.items()]
    model = helper.make_model(
        helper.make_graph(nodes, name, ends[:1], ends[1:], initializers),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{path}.onnx")

    session = onnxruntime.InferenceSession(f"{path}.onnx", providers=["CPUExecutionProvider"])
    (outputs,) = session.run(["output"], {"input": inputs})
    worst = numpy.max(numpy.abs(outputs - expected))
    versions = f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}"
    print(f"{versions}: {name}, {len(inputs)} inputs: outputs differ by {worst:.2e} at most")
    assert outputs.shape == expected.shape == (1000, 4) and worst <= 1e-6


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    export(*sys.argv[1:])

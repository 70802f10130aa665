"""The reference that answers of models are compared with: ONNX Runtime in Python.

python reference.py export FOLDER    writes a small convolutional classifier and a table classifier, as the onnx package does
python reference.py retrain FOLDER   writes other weights for cnn.onnx as cnn.safetensors, by the safetensors package, and cnn-retrained.onnx with them,
                                     and cnn-bare.onnx, whose weights are inputs
python reference.py run              reads {"path", "inputs": {name: {"shape", "data"}}} lines, writes outputs as lines
"""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(7)


def weight(name, *shape):
    return numpy_helper.from_array((RANDOM.standard_normal(shape) * 0.4).astype(np.float32), name)


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def export(folder, name, nodes, inputs, outputs, weights):
    graph = helper.make_graph(nodes, name, inputs, outputs, weights)
    model = helper.make_model(graph, producer_name="reference.py", opset_imports=[helper.make_opsetid("", 21)])
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, os.path.join(folder, name + ".onnx"))


def export_all(folder):
    make = helper.make_node
    export(
        folder,
        "cnn",
        [
            make("Conv", ["image", "w1", "b1"], ["c1"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
            make("LeakyRelu", ["c1"], ["r1"], alpha=0.1),
            make("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
            make("Conv", ["p1", "w2", "b2"], ["c2"], kernel_shape=[3, 3], group=2),
            make("Sigmoid", ["c2"], ["r2"]),
            make("GlobalAveragePool", ["r2"], ["g"]),
            make("Flatten", ["g"], ["f"]),
            make("Gemm", ["f", "w3", "b3"], ["scores"], alpha=4.0),
        ],
        [value("image", ["batch", 3, 32, 32])],
        [value("scores", ["batch", 10])],
        [weight("w1", 8, 3, 3, 3), weight("b1", 8), weight("w2", 12, 4, 3, 3), weight("b2", 12), weight("w3", 12, 10), weight("b3", 10)],
    )
    export(
        folder,
        "mlp",
        [
            make("Gemm", ["row", "w1", "b1"], ["h1"]),
            make("Tanh", ["h1"], ["t1"]),
            make("Gemm", ["t1", "w2", "b2"], ["h2"]),
            make("Softmax", ["h2"], ["probabilities"], axis=1),
        ],
        [value("row", ["batch", 6])],
        [value("probabilities", ["batch", 3])],
        [weight("w1", 6, 16), weight("b1", 16), weight("w2", 16, 3), weight("b2", 3)],
    )


def retrain(folder):
    from safetensors.numpy import save_file

    model = onnx.load(os.path.join(folder, "cnn.onnx"))
    tensors = {old.name: numpy_helper.to_array(weight(old.name, *old.dims)) for old in model.graph.initializer}
    save_file(tensors, os.path.join(folder, "cnn.safetensors"), metadata={"format": "np", "epoch": "2"})
    del model.graph.initializer[:]
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    bare.graph.input.extend(value(name, tensor.shape) for name, tensor in tensors.items())
    onnx.save(bare, os.path.join(folder, "cnn-bare.onnx"))
    model.graph.initializer.extend(numpy_helper.from_array(tensor, name) for name, tensor in tensors.items())
    onnx.save(model, os.path.join(folder, "cnn-retrained.onnx"))


def run():
    sessions = {}
    for line in sys.stdin:
        request = json.loads(line)
        path = request["path"]
        if path not in sessions:
            onnx.checker.check_model(onnx.load(path))
            sessions[path] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        session = sessions[path]
        inputs = {
            name: np.array(tensor["data"], dtype=np.float32).reshape(tensor["shape"])
            for name, tensor in request["inputs"].items()
        }
        outputs = session.run(None, inputs)
        names = [output.name for output in session.get_outputs()]
        print(json.dumps({name: output.ravel().tolist() for name, output in zip(names, outputs)}), flush=True)


if sys.argv[1] == "export":
    export_all(sys.argv[2])
elif sys.argv[1] == "retrain":
    retrain(sys.argv[2])
else:
    run()

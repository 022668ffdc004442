"""ONNX graphs for two pretrained networks, from weights that packages carry: the graphs are ours, the weights are theirs.

Neither package holds an ONNX file. A user's folder holds one that a converter wrote; here it is written from the published
architectures, so that the encoders are tried on real weights.
"""

from __future__ import annotations

import json
import pickle
import shutil
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Weights = Mapping[str, np.ndarray]


def write_minilm(package: Path, folder: Path) -> Path:
    """Write model.onnx and tokenizer.json of all-MiniLM-L6-v2 (BERT, 6 layers of 384) into a folder."""
    graph = _Graph(read_safetensors(package / "model.safetensors"))
    mask = graph.node("Unsqueeze", "attention_mask", graph.constant(np.array([1, 2])))
    away = graph.node("Mul", graph.node("Sub", graph.constant(1.0), graph.cast(mask)), graph.constant(-1e9))
    x = _bert_embeddings(graph)
    for layer in range(6):
        x = _bert_layer(graph, x, away, f"encoder.layer.{layer}.")
    inputs = [("input_ids", "INT64", ["n", "t"]), ("attention_mask", "INT64", ["n", "t"])]
    inputs.append(("token_type_ids", "INT64", ["n", "t"]))
    folder.mkdir(parents=True, exist_ok=True)
    graph.save(folder / "model.onnx", inputs, x, ["n", "t", 384])
    shutil.copy(package / "tokenizer.json", folder / "tokenizer.json")
    return folder


def write_efficientnet_lite0(weights: Path, folder: Path) -> Path:
    """Write model.onnx of EfficientNet-lite0 up to its pooled 1,280 features into a folder."""
    graph = _Graph(read_torch_file(weights))
    x = graph.convolution("image", "_conv_stem", "_bn0", stride=2, relu6=True)
    stages = [(1, 1, 1), (6, 2, 2), (6, 2, 2), (6, 2, 3), (6, 1, 3), (6, 2, 4), (6, 1, 1)]
    blocks = [(expand, stride, i) for expand, stride, repeats in stages for i in range(repeats)]
    for number, (expand, stride, i) in enumerate(blocks):
        x = _mobile_block(graph, x, f"_blocks.{number}.", expand, stride if i == 0 else 1, residual=i > 0)
    x = graph.convolution(x, "_conv_head", "_bn1", stride=1, relu6=True)
    pooled = graph.node("GlobalAveragePool", x)
    folder.mkdir(parents=True, exist_ok=True)
    graph.save(folder / "model.onnx", [("image", "FLOAT", ["n", 3, 224, 224])], pooled, ["n", 1280, 1, 1])
    return folder


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Read the float32 tensors of a safetensors file."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header, body = json.loads(raw[8 : 8 + size]), raw[8 + size :]
    return {
        name: np.frombuffer(body[slice(*facts["data_offsets"])], np.float32).reshape(facts["shape"])
        for name, facts in header.items()
        if name != "__metadata__" and facts["dtype"] == "F32"
    }


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a state dict in the serialisation that torch used before 1.6, without torch."""
    with path.open("rb") as file:
        for _ in range(3):  # magic number, protocol, system facts
            pickle.load(file)
        reader = _TorchUnpickler(file)
        tensors = reader.load()
        keys = pickle.load(file)
        stores = {}
        for key in keys:
            count, kind = int.from_bytes(file.read(8), "little"), reader.kinds[key]
            stores[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    return {name: _tensor(stores, *facts) for name, facts in tensors.items()}


class _TorchUnpickler(pickle.Unpickler):
    """Gives (store, offset, shape, strides) for every tensor, and notes the type of every store."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.kinds: dict[str, np.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        types = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
        if name in types:
            return types[name]
        if name == "OrderedDict":
            return OrderedDict
        assert (module, name) == ("torch._utils", "_rebuild_tensor_v2")
        return lambda store, offset, shape, strides, *_: (store, offset, shape, strides)

    def persistent_load(self, pid: Any) -> Any:
        _, kind, key, *_ = pid
        self.kinds[key] = kind
        return key


def _tensor(stores: Mapping[str, np.ndarray], key: str, offset: int, shape: tuple, strides: tuple) -> np.ndarray:
    flat = stores[key]
    steps = tuple(step * flat.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(flat[offset:], shape, steps).copy()


class _Graph:
    """A list of nodes under construction; names are given in order."""

    def __init__(self, weights: Weights) -> None:
        self.weights, self.nodes, self.constants = weights, [], {}

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any) -> str:
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        array = self.weights[name]
        return self.constant(array.T if transposed else array)

    def cast(self, value: str) -> str:
        return self.node("Cast", value, to=1)

    def dense(self, value: str, name: str) -> str:
        product = self.node("MatMul", value, self.weight(f"{name}.weight", transposed=True))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def layer_norm(self, value: str, name: str) -> str:
        return self.node(
            "LayerNormalization",
            value,
            self.weight(f"{name}.weight"),
            self.weight(f"{name}.bias"),
            axis=-1,
            epsilon=1e-12,
        )

    def convolution(
        self, value: str, conv: str, norm: str, *, stride: int, relu6: bool, depthwise: bool = False
    ) -> str:
        kernel = self.weights[f"{conv}.weight"]
        groups = kernel.shape[0] if depthwise else 1
        scale = self.weights[f"{norm}.weight"] / np.sqrt(self.weights[f"{norm}.running_var"] + 1e-3)
        shift = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * scale
        weights = [self.constant(kernel * scale[:, None, None, None]), self.constant(shift)]
        found = self.node("Conv", value, *weights, strides=[stride] * 2, auto_pad="SAME_UPPER", group=groups)
        return self.node("Clip", found, self.constant(0.0), self.constant(6.0)) if relu6 else found

    def save(self, path: Path, inputs: list[tuple[str, str, list]], output: str, shape: list) -> None:
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info(name, getattr(TensorProto, kind), dims) for name, kind, dims in inputs],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def _bert_embeddings(graph: _Graph) -> str:
    words = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    kinds = graph.node("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    length = graph.node("Gather", graph.node("Shape", "input_ids"), graph.constant(np.array(1)))
    first = graph.node("Range", graph.constant(np.array(0)), length, graph.constant(np.array(1)))
    places = graph.node("Gather", graph.weight("embeddings.position_embeddings.weight"), first)
    total = graph.node("Add", graph.node("Add", words, kinds), places)
    return graph.layer_norm(total, "embeddings.LayerNorm")


def _bert_layer(graph: _Graph, x: str, away: str, prefix: str) -> str:
    def heads(name: str, order: list[int]) -> str:
        split = graph.node(
            "Reshape", graph.dense(x, f"{prefix}attention.self.{name}"), graph.constant(np.array([0, 0, 12, 32]))
        )
        return graph.node("Transpose", split, perm=order)

    likeness = graph.node("MatMul", heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]))
    scaled = graph.node("Add", graph.node("Mul", likeness, graph.constant(32**-0.5)), away)
    mixed = graph.node("MatMul", graph.node("Softmax", scaled, axis=-1), heads("value", [0, 2, 1, 3]))
    joined = graph.node(
        "Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), graph.constant(np.array([0, 0, 384]))
    )
    attended = graph.node("Add", x, graph.dense(joined, f"{prefix}attention.output.dense"))
    x = graph.layer_norm(attended, f"{prefix}attention.output.LayerNorm")
    inner = graph.dense(x, f"{prefix}intermediate.dense")
    half = graph.node("Mul", inner, graph.constant(0.5))
    bell = graph.node("Add", graph.node("Erf", graph.node("Mul", inner, graph.constant(2**-0.5))), graph.constant(1.0))
    outer = graph.dense(graph.node("Mul", half, bell), f"{prefix}output.dense")
    return graph.layer_norm(graph.node("Add", x, outer), f"{prefix}output.LayerNorm")


def _mobile_block(graph: _Graph, x: str, prefix: str, expand: int, stride: int, *, residual: bool) -> str:
    inner = x
    if expand > 1:
        inner = graph.convolution(x, f"{prefix}_expand_conv", f"{prefix}_bn0", stride=1, relu6=True)
    inner = graph.convolution(
        inner, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride, relu6=True, depthwise=True
    )
    inner = graph.convolution(inner, f"{prefix}_project_conv", f"{prefix}_bn2", stride=1, relu6=False)
    return graph.node("Add", x, inner) if residual else inner

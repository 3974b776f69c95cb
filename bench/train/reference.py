"""The four models in PyTorch, with weights and a batch from a folder that main.ts wrote.

Reads commands from standard input, answers each with one line of JSON:
  train N     N steps of SGD: milliseconds of each, CPU milliseconds of all, the first loss
  infer N     N forward passes without gradients: the same
  gradients   loss and gradients at the starting weights, into gradients.bin
"""

import json
import sys
import time

import numpy
import torch
from torch.nn import functional as F

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
facts = json.load(open(f"{folder}/facts.json"))
raw = numpy.fromfile(f"{folder}/weights.bin", dtype=numpy.float32)
weights, at = {}, 0
for entry in facts["parameters"]:
    size = int(numpy.prod(entry["dims"]))
    values = torch.from_numpy(raw[at : at + size].reshape(entry["dims"]).copy())
    weights[entry["name"]] = values.requires_grad_(True)
    at += size
kind = numpy.int64 if facts["tokens"] else numpy.float32
x = torch.from_numpy(numpy.fromfile(f"{folder}/x.bin", dtype=kind).reshape(facts["dims"]))
labels = torch.from_numpy(numpy.fromfile(f"{folder}/labels.bin", dtype=numpy.int64))
w = weights.__getitem__


def dense(name, x):
    return torch.addmm(w(f"{name}.bias"), x, w(f"{name}.weight"))


def project(name, x):
    return x @ w(f"{name}.weight") + w(f"{name}.bias")


def mlp(x, _):
    return dense("c", F.relu(dense("b", F.relu(dense("a", x)))))


def lenet(x, _):
    x = F.max_pool2d(F.relu(F.conv2d(x, w("a.weight"), w("a.bias"), padding=2)), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, w("b.weight"), w("b.bias"))), 2)
    return dense("e", F.relu(dense("d", F.relu(dense("c", x.flatten(1))))))


STRIDES = (1, 2, 1, 2, 1)
running = {
    name[: -len(".scale")]: (torch.zeros(tensor.shape[0]), torch.ones(tensor.shape[0]))
    for name, tensor in weights.items()
    if name.endswith("norm.scale")
}


def mobilenet(x, training):
    def normed(name, x):
        mean, variance = running[name]
        scale, shift = w(f"{name}.scale"), w(f"{name}.shift")
        return F.relu(F.batch_norm(x, mean, variance, scale, shift, training, 0.1, 1e-5))

    x = normed("stem.norm", F.conv2d(x, w("stem.weight"), padding=1))
    for at, stride in enumerate(STRIDES):
        deep = w(f"{at}.deep.weight")
        x = F.conv2d(x, deep, stride=stride, padding=1, groups=deep.shape[0])
        x = normed(f"{at}.deep.norm", x)
        x = normed(f"{at}.point.norm", F.conv2d(x, w(f"{at}.point.weight")))
    return dense("head", x.mean((2, 3)))


HEADS, LAYERS = 4, 4


def transformer(ids, _):
    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], w(f"{name}.scale"), w(f"{name}.shift"), 1e-5)

    def attend(name, x):
        batch, length, width = x.shape
        split = lambda of: project(f"{name}.{of}", x).view(batch, length, HEADS, -1).transpose(1, 2)
        q, k, v = split("q"), split("k"), split("v")
        scores = F.softmax(q @ k.transpose(2, 3) / (width / HEADS) ** 0.5, -1)
        return project(f"{name}.out", (scores @ v).transpose(1, 2).reshape(batch, length, width))

    x = F.embedding(ids, w("tokens")) + w("places")
    for layer in range(LAYERS):
        x = x + attend(f"{layer}.attention", norm(f"{layer}.norm1", x))
        inner = F.gelu(project(f"{layer}.up", norm(f"{layer}.norm2", x)))
        x = x + project(f"{layer}.down", inner)
    return dense("head", norm("last", x).mean(1))


forward = {
    "mlp": mlp,
    "lenet": lenet,
    "mobilenet-like": mobilenet,
    "transformer": transformer,
}[facts["name"]]
optimizer = torch.optim.SGD(weights.values(), lr=facts["rate"])


def train():
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(forward(x, True), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def infer():
    with torch.no_grad():
        return forward(x, False).sum().item()


def timed(act, count):
    cpu, times, first = time.process_time(), [], None
    for _ in range(count):
        start = time.perf_counter()
        value = act()
        times.append((time.perf_counter() - start) * 1000)
        first = value if first is None else first
    return {"ms": times, "cpu": (time.process_time() - cpu) * 1000, "first": first}


def gradients():
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(forward(x, True), labels)
    loss.backward()
    parts = [tensor.grad.numpy().ravel() for tensor in weights.values()]
    numpy.concatenate(parts).tofile(f"{folder}/gradients.bin")
    return {"loss": loss.item()}


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    command, *count = line.split()
    if command == "gradients":
        answer = gradients()
    else:
        answer = timed(train if command == "train" else infer, int(count[0]))
    print(json.dumps(answer), flush=True)

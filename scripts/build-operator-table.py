"""Writes data/onnx-operators/operators.json from the schemas that ONNX and ONNX Runtime carry.

    pip install onnx==1.23.1 onnxruntime==1.30.0
    python scripts/build-operator-table.py

ai.onnx and ai.onnx.ml come from onnx with their whole history up to the opsets that ONNX Runtime
1.30 calls released; com.microsoft comes from ONNX Runtime. Types are named as TensorProto.DataType is
in src/onnx/model.ts; equal sets of types are stored once. No documentation text is carried over.
"""

import hashlib
import json
from pathlib import Path

import onnx
import onnx.defs
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

FOLDER = Path(__file__).resolve().parent.parent / "data" / "onnx-operators"
LATEST = {"ai.onnx": 26, "ai.onnx.ml": 5, "com.microsoft": 1}
UNBOUNDED = 2**31 - 1
RENAMED = {"float": "float32", "double": "float64"}
# Attribute kinds as src/onnx/model.ts names them.
KINDS = {"SPARSE_TENSOR": "sparseTensor", "TYPE_PROTO": "type", "SPARSE_TENSORS": "sparseTensors"}


def type_name(text):
    """tensor(float) -> float32, seq(tensor(float)) -> seq(float32)."""
    text = text.replace(" ", "")
    if text.startswith("tensor("):
        return RENAMED.get(text[7:-1], text[7:-1])
    for kind in ("seq", "optional", "sparse_tensor"):
        if text.startswith(f"{kind}("):
            return f"{kind}({type_name(text[len(kind) + 1:-1])})"
    if text.startswith("map("):
        key, value = text[4:-1].split(",", 1)
        return f"map({type_name(key)},{type_name(value)})"
    return RENAMED.get(text, text)


class TypeSets:
    def __init__(self):
        self.sets = []

    def index(self, types):
        names = sorted({type_name(t) for t in types})
        if names not in self.sets:
            self.sets.append(names)
        return self.sets.index(names)


def parameter(p, variables):
    """[name, type, "?" optional or "*" variadic of one type or "**" of any types]."""
    type_str = getattr(p, "type_str", None) or p.typeStr
    homogeneous = p.is_homogeneous if hasattr(p, "is_homogeneous") else p.isHomogeneous
    entry = [p.name, type_str if type_str in variables else type_name(type_str)]
    option = str(p.option).split(".")[-1]
    if option == "Optional":
        entry.append("?")
    if option == "Variadic":
        entry.append("*" if homogeneous else "**")
    return entry


def shortest(value):
    """The shortest decimal that is the same float32."""
    import numpy

    return float(str(numpy.float32(value)))


def default_of(attribute):
    if hasattr(attribute, "default_value"):
        proto = attribute.default_value
    else:
        proto = onnx.AttributeProto()
        proto.ParseFromString(attribute._default_value)
    if not proto.name:
        return None
    value = onnx.helper.get_attribute_value(proto)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, int):
        return value
    if isinstance(value, (list, tuple)):
        return [v.decode() if isinstance(v, bytes) else v for v in value]
    return None


def attribute_entry(attribute):
    kind = str(attribute.type).split(".")[-1]
    kind = KINDS.get(kind, kind.lower())
    if attribute.required:
        return [kind, "required"]
    default = default_of(attribute)
    return [kind] if default is None else [kind, "default", default]


def version_entry(schema, type_sets):
    variables = {c.type_param_str for c in schema.type_constraints}
    entry = {"since": schema.since_version}
    if schema.deprecated:
        entry["deprecated"] = True
    entry["inputs"] = [parameter(p, variables) for p in schema.inputs]
    entry["outputs"] = [parameter(p, variables) for p in schema.outputs]
    entry["arity"] = [
        None if n >= UNBOUNDED else n
        for n in (schema.min_input, schema.max_input, schema.min_output, schema.max_output)
    ]
    if schema.attributes:
        entry["attributes"] = {
            name: attribute_entry(a) for name, a in sorted(schema.attributes.items())
        }
    if schema.type_constraints:
        entry["types"] = {
            c.type_param_str: type_sets.index(c.allowed_type_strs)
            for c in schema.type_constraints
        }
    return entry


def ir_versions():
    """The file format that came with each opset of ai.onnx, by opset."""
    versions = {}
    for _, ir_version, opset, *_ in onnx.helper.VERSION_TABLE:
        if opset <= LATEST["ai.onnx"]:
            versions.setdefault(opset, ir_version)
    return versions


def schemas():
    for schema in onnx.defs.get_all_schemas_with_history():
        yield schema.domain or "ai.onnx", schema
    for schema in runtime.get_all_operator_schema():
        if schema.domain == "com.microsoft":
            yield schema.domain, schema


def main():
    assert onnx.__version__ == "1.23.1" and onnxruntime.__version__ == "1.30.0"
    type_sets = TypeSets()
    domains = {domain: {} for domain in LATEST}
    for domain, schema in schemas():
        if domain in LATEST and schema.since_version <= LATEST[domain]:
            domains[domain].setdefault(schema.name, []).append(schema)
    table = {
        name: {
            "latest": LATEST[name],
            "operators": {
                operator: [
                    version_entry(schema, type_sets)
                    for schema in sorted(versions, key=lambda s: s.since_version)
                ]
                for operator, versions in sorted(operators.items())
            },
        }
        for name, operators in domains.items()
    }
    document = {
        "source": "onnx 1.23.1, ONNX Runtime 1.30.0",
        "irVersions": ir_versions(),
        "typeSets": type_sets.sets,
        "domains": table,
    }
    text = dump(document)
    (FOLDER / "operators.json").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (FOLDER / "SHA256SUMS").write_text(f"{digest}  operators.json\n")


def dump(document):
    """JSON with one version of an operator per line, so that differences can be read."""
    compact = lambda value: json.dumps(value, separators=(",", ":"))
    lines = ["{", f'"source":{compact(document["source"])},', f'"irVersions":{compact(document["irVersions"])},']
    lines.append('"typeSets":[')
    lines.append(",\n".join(compact(s) for s in document["typeSets"]))
    lines.append('],\n"domains":{')
    blocks = []
    for domain, content in document["domains"].items():
        operators = ",\n".join(
            f"{compact(name)}:[\n" + ",\n".join(compact(v) for v in versions) + "]"
            for name, versions in content["operators"].items()
        )
        blocks.append(
            f'{compact(domain)}:{{"latest":{content["latest"]},"operators":{{\n{operators}}}}}'
        )
    lines.append(",\n".join(blocks))
    lines.append("}}")
    return "\n".join(lines) + "\n"


main()

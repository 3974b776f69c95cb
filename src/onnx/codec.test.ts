import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { modelFile, modelNames } from "../../test/shared-data.ts";
import { memorySource } from "./byte-source.ts";
import { decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";
import type { Attribute, Model, Tensor, ValueType } from "./model.ts";
import { ModelError } from "./model-error.ts";
import { payloadOf } from "./wire-reader.ts";
import { concat, varint } from "./wire-writer.ts";

const decode = (bytes: Uint8Array): Model => decodeModel(memorySource(bytes));
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(modelFile(name)));

describe.skipIf(modelNames.length === 0)("real models", () => {
  test.each(modelNames)("%s comes back byte for byte", (name) => {
    const bytes = read(name);
    expect(Buffer.compare(encodeModel(decode(bytes)), bytes)).toBe(0);
  });

  // Oracle: another implementation of the same messages, generated from onnx.proto.
  test.each(modelNames)("%s reads as another implementation reads it", (name) => {
    const bytes = read(name);
    const theirs = fromBinary(ModelProtoSchema, bytes);
    const ours = decode(bytes);
    expect(ours.irVersion).toBe(theirs.irVersion);
    expect(
      ours.graph?.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs]),
    ).toEqual(theirs.graph?.node.map(({ opType, input, output }) => [opType, input, output]));
    expect(ours.graph?.initializers.map(({ name, dims }) => [name, dims])).toEqual(
      theirs.graph?.initializer.map(({ name, dims }) => [name, dims]),
    );
    expect(Buffer.compare(toBinary(ModelProtoSchema, theirs), encodeModel(ours))).toBe(0);
  });
});

const name = fc.string({ minLength: 1, maxLength: 8 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = fc.uint8Array({ maxLength: 8 });
const noMetadata = { metadata: [] };

const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    name,
    dims: fc.array(int64, { maxLength: 3 }),
    data: fc.oneof(
      fc.constant({ kind: "none" as const }),
      fc
        .array(fc.float({ noNaN: true }), { minLength: 1 })
        .map((values) => ({ kind: "float32" as const, values: Float32Array.from(values) })),
      fc
        .array(int64, { minLength: 1 })
        .map((values) => ({ kind: "int64" as const, values: BigInt64Array.from(values) })),
      fc
        .array(fc.integer(), { minLength: 1 })
        .map((values) => ({ kind: "int32" as const, values: Int32Array.from(values) })),
      fc
        .array(fc.double({ noNaN: true }), { minLength: 1 })
        .map((values) => ({ kind: "float64" as const, values: Float64Array.from(values) })),
      fc
        .array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1 })
        .map((values) => ({ kind: "uint64" as const, values: BigUint64Array.from(values) })),
      fc.array(bytes, { minLength: 1 }).map((values) => ({ kind: "string" as const, values })),
    ),
  })
  .map((of) => ({ ...of, dataType: "float32" as const, ...noMetadata }));

const type: fc.Arbitrary<ValueType> = fc.record({
  kind: fc.constantFrom("tensor" as const, "sparseTensor" as const),
  elementType: fc.constantFrom("float32" as const, "int4" as const, "bfloat16" as const),
  shape: fc.array(
    fc.oneof(
      int64.map((value) => ({ value })),
      name.map((parameter) => ({ parameter })),
      fc.constant({}),
    ),
    { maxLength: 4 },
  ),
});

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.record({ name, kind: fc.constant("int" as const), value: int64 }),
  fc.record({ name, kind: fc.constant("ints" as const), value: fc.array(int64) }),
  fc.record({ name, kind: fc.constant("float" as const), value: fc.float({ noNaN: true }) }),
  fc.record({
    name,
    kind: fc.constant("floats" as const),
    value: fc.array(fc.float({ noNaN: true })),
  }),
  fc.record({ name, kind: fc.constant("string" as const), value: bytes }),
  fc.record({ name, kind: fc.constant("strings" as const), value: fc.array(bytes) }),
  fc.record({ name, kind: fc.constant("tensor" as const), value: tensor }),
  fc.record({ name, kind: fc.constant("type" as const), value: type }),
);

const model: fc.Arbitrary<Model> = fc
  .record({
    irVersion: int64,
    producerName: fc.string(),
    opsets: fc.array(fc.record({ domain: fc.string(), version: int64 })),
    metadata: fc.array(fc.record({ key: name, value: fc.string() })),
    initializers: fc.array(tensor, { maxLength: 3 }),
    inputs: fc.array(fc.record({ name, type }), { maxLength: 3 }),
    nodes: fc.array(
      fc.record({
        opType: name,
        domain: fc.string(),
        inputs: fc.array(fc.string()),
        outputs: fc.array(fc.string()),
        attributes: fc.array(attribute, { maxLength: 3 }),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ irVersion, producerName, opsets, metadata, initializers, inputs, nodes }) => ({
    irVersion,
    producerName,
    opsetImports: opsets,
    metadata,
    functions: [],
    graph: {
      nodes: nodes.map((node) => ({ ...node, ...noMetadata })),
      initializers,
      sparseInitializers: [],
      inputs: inputs.map((input) => ({ ...input, ...noMetadata })),
      outputs: [],
      valueInfos: [],
      ...noMetadata,
    },
  }));

test("any model survives encoding and decoding", () => {
  fc.assert(
    fc.property(model, (of) => {
      expect(decode(encodeModel(of))).toEqual(of);
    }),
    { numRuns: 300 },
  );
});

describe("nothing is lost", () => {
  const unknownField = concat([varint(99 * 8), varint(7)]);

  test("of fields that this version does not know, in their place by number", () => {
    const graph = { ...emptyGraph(), unknown: [unknownField] };
    const bytes = encodeModel({ ...emptyModel(), graph });
    expect(decode(bytes).graph?.unknown).toEqual([unknownField]);
    expect(encodeModel(decode(bytes))).toEqual(bytes);
  });
  test("of a data type that this version does not know", () => {
    const of: Tensor = {
      dims: [2n],
      dataType: null,
      dataTypeNumber: 77,
      data: { kind: "raw", payload: payloadOf(Uint8Array.of(1, 2)) },
      ...noMetadata,
    };
    const bytes = encodeModel({ ...emptyModel(), graph: { ...emptyGraph(), initializers: [of] } });
    expect(decode(bytes).graph?.initializers[0]?.dataTypeNumber).toBe(77);
    expect(encodeModel(decode(bytes))).toEqual(bytes);
  });
});

test("weights in a file are not read until they are asked for", () => {
  const weights = new Uint8Array(1 << 20).fill(7);
  const of: Tensor = {
    name: "w",
    dims: [1n << 20n],
    dataType: "uint8",
    data: { kind: "raw", payload: payloadOf(weights) },
    ...noMetadata,
  };
  const bytes = encodeModel({ ...emptyModel(), graph: { ...emptyGraph(), initializers: [of] } });
  let readBytes = 0;
  const source = {
    size: bytes.length,
    read(offset: number, length: number) {
      readBytes += length;
      return bytes.slice(offset, offset + length);
    },
  };
  const data = decodeModel(source).graph?.initializers[0]?.data;
  expect(readBytes).toBeLessThan(200_000);
  expect(data?.kind === "raw" && data.payload.bytes()).toEqual(weights);
});

describe("what is no model is named", () => {
  const ascii = (text: string) => new TextEncoder().encode(text);
  test.each<[string, Uint8Array]>([
    ["empty", new Uint8Array(0)],
    ["zip", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0)],
    ["pickle", Uint8Array.of(0x80, 2, 0x8a, 10)],
    [".ort", ascii("\x20\0\0\0ORTM more")],
    ["GGUF", ascii("GGUF\x03\0\0\0")],
    ["safetensors", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, ...ascii('{"a":{}}'))],
    ["HTML", ascii("\n<!DOCTYPE html><html>")],
    ["LFS", ascii("version https://git-lfs.github.com/spec/v1")],
    ["JSON", ascii('{"a": 1}')],
  ])("%s", (kind, bytes) => {
    expect(() => decode(bytes)).toThrow(kind);
    expect(() => decode(bytes)).toThrow(ModelError);
  });
});

describe("hostile bytes", () => {
  const field = (number: number, payload: Uint8Array) =>
    concat([varint(number * 8 + 2), varint(payload.length), payload]);

  test.each<[string, Uint8Array, string]>([
    ["a length over the end", Uint8Array.of(7 * 8 + 2, 200, 1, 0), "truncated"],
    ["a varint without end", Uint8Array.of(8, ...Array(11).fill(255)), "varint"],
    ["a length without end", Uint8Array.of(58, ...Array(11).fill(255)), "length over 2^49"],
    ["a group", Uint8Array.of(7 * 8 + 3), "wire type"],
    ["field 0", Uint8Array.of(0, 0), "field number 0"],
    ["text that is not UTF-8", field(2, Uint8Array.of(0xff, 0xfe)), "UTF-8"],
    ["a number where a message belongs", Uint8Array.of(7 * 8, 1), "wire type"],
  ])("%s", (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(message);
  });

  test("messages nested a thousand deep are refused, and where is said", () => {
    let nested: Uint8Array = new Uint8Array(0);
    // Graph in attribute (6) in node (5) in graph (1).
    for (let depth = 0; depth < 400; depth++) nested = field(1, field(5, field(6, nested)));
    expect(() => decode(field(7, nested))).toThrow(/nested deeper than 100.*graph\.node\[0\]/s);
  });

  test("a tensor with two kinds of data is refused", () => {
    const tensor = concat([field(4, new Uint8Array(4)), field(9, new Uint8Array(4))]);
    expect(() => decode(field(7, field(5, tensor)))).toThrow(/both raw and float32/);
  });
});

/** Number of mutated files; more of the same by FUZZ_RUNS. */
const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);

// Small models cover every message; mutations of large weights would only hit weights.
const fuzzed = modelNames.filter((file) => read(file).length < 100_000);
test.skipIf(fuzzed.length === 0)(
  `${FUZZ_RUNS} mutations of real models decode or are refused by name`,
  () => {
    const originals = fuzzed.map(read);
    const mutation = fc.record({
      file: fc.nat(originals.length - 1),
      edits: fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          byte: fc.nat(255),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(mutation, ({ file, edits, keep }) => {
        const original = originals[file] ?? new Uint8Array(0);
        const bytes = original.slice(0, Math.ceil(original.length * keep));
        for (const { at, byte } of edits) bytes[Math.floor(at * bytes.length)] = byte;
        try {
          encodeModel(decode(bytes));
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
        }
      }),
      { numRuns: FUZZ_RUNS },
    );
  },
  120_000,
);

function emptyModel(): Model {
  return { opsetImports: [], functions: [], graph: emptyGraph(), ...noMetadata };
}

function emptyGraph(): NonNullable<Model["graph"]> {
  return {
    nodes: [],
    initializers: [],
    sparseInitializers: [],
    inputs: [],
    outputs: [],
    valueInfos: [],
    ...noMetadata,
  };
}

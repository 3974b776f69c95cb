import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelError, memorySource } from "../../onnx/index.ts";
import { readWeightFile } from "./weight-file.ts";

const utf8 = new TextEncoder();

function safetensors(header: object | string, data = 0): Uint8Array {
  const text = utf8.encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const u32 = (value: number): readonly number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: number): readonly number[] => [
  ...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer),
];
const text = (value: string): readonly number[] => [
  ...u64(utf8.encode(value).length),
  ...utf8.encode(value),
];

const gguf = (data: number): Uint8Array =>
  Uint8Array.from([
    ...utf8.encode("GGUF"),
    ...u32(3),
    ...u64(2),
    ...u64(3),
    ...text("general.architecture"),
    ...u32(8),
    ...text("llama"),
    ...text("tokens"),
    ...u32(9),
    ...u32(8),
    ...u64(2),
    ...text("a"),
    ...text("b"),
    ...text("llama.block_count"),
    ...u32(4),
    ...u32(32),
    ...text("token_embd.weight"),
    ...u32(2),
    ...u64(256),
    ...u64(10),
    ...u32(12),
    ...u64(0),
    ...text("norm"),
    ...u32(1),
    ...u64(256),
    ...u32(0),
    ...u64(1440),
    ...new Array(data).fill(0),
  ]);

const read = (bytes: Uint8Array) => readWeightFile(memorySource(bytes));

describe("weight files", () => {
  it("reads types, shapes and bytes from a safetensors header", () => {
    const file = read(
      safetensors(
        {
          __metadata__: { format: "pt" },
          w: { dtype: "BF16", shape: [3, 4], data_offsets: [0, 24] },
          b: { dtype: "F32", shape: [], data_offsets: [24, 28] },
        },
        28,
      ),
    );
    expect(file).toEqual({
      format: "safetensors",
      metadata: { format: "pt" },
      tensors: [
        { name: "w", type: "BF16", shape: [3, 4], elements: 12, bytes: 24 },
        { name: "b", type: "F32", shape: [], elements: 1, bytes: 4 },
      ],
    });
  });

  it("reads blocks of few bits from a GGUF header", () => {
    expect(read(gguf(1440 + 1024))).toEqual({
      format: "GGUF",
      metadata: { "general.architecture": "llama", "llama.block_count": "32" },
      tensors: [
        // 10 blocks of 256 weights in 144 bytes: 4.5 bits a weight.
        { name: "token_embd.weight", type: "Q4_K", shape: [10, 256], elements: 2560, bytes: 1440 },
        { name: "norm", type: "F32", shape: [256], elements: 256, bytes: 1024 },
      ],
    });
  });

  it("says null to anything else", () => {
    expect(read(utf8.encode("no model at all"))).toBeNull();
  });

  it.each([
    ["a length beyond the file", Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 0, 123, 34])],
    ["no JSON", safetensors("{nothing")],
    [
      "data beyond the file",
      safetensors({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8] } }),
    ],
    [
      "bytes that do not fit",
      safetensors({ w: { dtype: "F32", shape: [2], data_offsets: [0, 4] } }, 4),
    ],
    [
      "a shape beyond 2^53",
      safetensors({ w: { dtype: "F32", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }, 4),
    ],
    ["tensors beyond the file", gguf(0)],
  ])("refuses %s", (_, bytes) => {
    expect(() => read(bytes)).toThrow(ModelError);
  });

  it("ends on every mutation, with an answer or a ModelError", () => {
    const originals = [
      gguf(2464),
      safetensors({ w: { dtype: "I8", shape: [4], data_offsets: [0, 4] } }, 4),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 6 }),
        fc.nat(2600),
        (original, changes, length) => {
          const bytes = original.slice(0, Math.max(10, length));
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          try {
            read(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ModelError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

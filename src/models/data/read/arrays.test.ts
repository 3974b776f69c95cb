// Files written by NumPy 1.24 and 2.4, as base64.

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodeIdx } from "./idx.ts";
import { inflate, unzipped } from "./inflate.ts";
import { arraysDataset, decodeNpy, readNpz } from "./npy.ts";
import { readTar } from "./tar.ts";
import { readZip } from "./zip.ts";

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const NPZ = bytes(
  "UEsDBBQAAAAIAAAAIQCjIIiEUQAAAKAAAAAFABQAeC5ucHkBABAAoAAAAAAAAABRAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLgYU8MEeynCAUBwOAFBLAwQUAAAACAAAACEAcfs5q0gAAACQAAAACQAUAGxhYmVsLm5weQEAEACQAAAAAAAAAEgAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALkYGVAAAUEsBAhQDFAAAAAgAAAAhAKMgiIRRAAAAoAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAhQDFAAAAAgAAAAhAHH7OatIAAAAkAAAAAkAAAAAAAAAAAAAAIABiAAAAGxhYmVsLm5weVBLBQYAAAAAAgACAGoAAAALAQAAAAA=",
);
const FORTRAN =
  "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEA=";

describe("NumPy files", () => {
  test("column-major, big-endian, bool and text arrays come out row-major and native", () => {
    expect(decodeNpy("a.npy", bytes(FORTRAN))).toEqual({
      dataType: "float32",
      dims: [2, 3],
      data: Float32Array.of(0, 1, 2, 3, 4, 5),
    });
    const big =
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAf/+ASw=";
    expect(decodeNpy("a.npy", bytes(big)).data).toEqual(Int16Array.of(1, -2, 300));
    const text =
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPFUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphAAAAYgAAAPwAAAAAAAAA";
    expect(decodeNpy("a.npy", bytes(text)).data).toEqual(["ab", "ü"]);
    const flags =
      "k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==";
    expect(decodeNpy("a.npy", bytes(flags))).toMatchObject({ dataType: "bool", dims: [2] });
  });

  test("an archive of arrays is a dataset by their names", async () => {
    const dataset = arraysDataset("s", "s.npz", await readNpz("s.npz", NPZ));
    const batch = await dataset.batch([1]);
    expect(batch.get("x")).toEqual({
      dataType: "float64",
      dims: [1, 2],
      data: Float64Array.of(2, 3),
    });
    expect(batch.get("label")?.data).toEqual(BigInt64Array.of(0n));
  });

  test("Python objects are refused, and so are headers that lie", () => {
    const objects =
      "k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqAAw==";
    expect(() => decodeNpy("o.npy", bytes(objects))).toThrow("o.npy, header: elements of type |O");
    const short = bytes(FORTRAN).subarray(0, -4);
    expect(() => decodeNpy("a.npy", short)).toThrow("20 bytes of data where [2, 3] needs 24");
    const huge = bytes(FORTRAN);
    const shape = Buffer.from(huge.buffer).indexOf("(2, 3), }");
    huge.set(new TextEncoder().encode("(9999999999, 9), }"), shape);
    expect(() => decodeNpy("a.npy", huge)).toThrow("24 bytes of data where [9999999999, 9] needs");
    expect(() => decodeNpy("a.npy", bytes("AAAA"))).toThrow("not the start of an .npy file");
    const arrays = new Map([
      ["x", { dataType: "uint8", dims: [2], data: Uint8Array.of(1, 2) }],
      ["y", { dataType: "uint8", dims: [3], data: Uint8Array.of(1, 2, 3) }],
    ] as const);
    expect(() => arraysDataset("d", "d.npz", arrays)).toThrow("array y: 3 rows where x has 2");
  });
});

describe("IDX files", () => {
  const header = (...values: number[]) => Uint8Array.from(values);

  test("elements are big-endian", () => {
    const file = header(0, 0, 0x0b, 1, 0, 0, 0, 2, 1, 44, 255, 254);
    expect(decodeIdx("a", file)).toEqual({
      dataType: "int16",
      dims: [2],
      data: Int16Array.of(300, -2),
    });
    const real = header(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0);
    expect(decodeIdx("a", real).data).toEqual(Float32Array.of(1.5));
  });

  test("a header that the bytes do not fit is refused before anything is allocated", () => {
    const lying = header(0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1);
    expect(() => decodeIdx("a", lying)).toThrow("1 bytes of data where 4294967295 x");
    expect(() => decodeIdx("a", header(0, 0, 8, 3, 0))).toThrow("3 dimensions in 5 bytes");
    expect(() => decodeIdx("a", header(1, 2, 3, 4))).toThrow("not the start of an IDX file");
    expect(() => decodeIdx("a", header())).toThrow("not the start of an IDX file");
  });
});

describe("archives", () => {
  test("a zip entry that decompresses to more than it says is stopped", async () => {
    const bomb = deflateRawSync(new Uint8Array(50_000_000));
    await expect(inflate("bomb", bomb, { format: "deflate-raw", limit: 1000 })).rejects.toThrow(
      "decompresses to more than 1000 bytes",
    );
    const lying = NPZ.slice();
    const directory = lying.findIndex(
      (_, at) => lying[at] === 0x50 && lying[at + 1] === 0x4b && lying[at + 2] === 1,
    );
    new DataView(lying.buffer).setUint32(directory + 24, 10, true);
    await expect(readNpz("l.npz", lying)).rejects.toThrow(
      "entry x.npy: decompresses to more than 10",
    );
  });

  test("damaged content is told by its checksum", async () => {
    const damaged = NPZ.slice();
    const directory = damaged.findIndex(
      (_, at) => damaged[at] === 0x50 && damaged[at + 1] === 0x4b && damaged[at + 2] === 1,
    );
    damaged[directory + 16] = (damaged[directory + 16] ?? 0) ^ 1;
    await expect(readNpz("d.npz", damaged)).rejects.toThrow("entry x.npy: its checksum or size");
    expect(() => readZip("t.zip", NPZ.subarray(0, 100))).toThrow("its end is missing");
    const encrypted = NPZ.slice();
    encrypted[directory + 8] = 1;
    expect(() => readZip("e.zip", encrypted)).toThrow("encrypted");
  });

  test("names that lead out of an archive are refused", () => {
    const evil = NPZ.slice();
    const name = new TextEncoder().encode("../xx");
    const directory = evil.findIndex(
      (_, at) => evil[at] === 0x50 && evil[at + 1] === 0x4b && evil[at + 2] === 1,
    );
    evil.set(name, directory + 46);
    expect(() => readZip("e.zip", evil)).toThrow("entry ../xx: its name leads out of the archive");
    expect(() => readTar("e.tar", tar("../../etc/passwd", "x"))).toThrow(
      "leads out of the archive",
    );
    expect(() => readTar("e.tar", tar("/etc/passwd", "x"))).toThrow("leads out of the archive");
  });

  test("tar: names, long names and truncation", () => {
    const names = readTar("a.tar", tar("./a/b.txt", "hello")).map(({ name }) => name);
    expect(names).toEqual(["a/b.txt"]);
    const long = `${"d/".repeat(80)}x.png`;
    const pax = `${long.length + 9} path=${long}\n`;
    const archive = joined(tar("pax", pax, "x"), tar("short", "data"), new Uint8Array(1024));
    const [entry] = readTar("a.tar", archive);
    expect(entry?.name).toBe(long);
    expect(new TextDecoder().decode(entry?.bytes)).toBe("data");
    expect(() => readTar("a.tar", tar("a", "hello").subarray(0, 514))).toThrow(
      "entry a: 5 bytes announced, 2 there",
    );
    const broken = tar("a", "hello");
    broken[0] = 0x62;
    expect(() => readTar("a.tar", broken)).toThrow("byte 0: no tar header there");
  });

  test("gzip: content, damage", async () => {
    const { gzipSync } = await import("node:zlib");
    const packed = gzipSync("hello");
    expect(new TextDecoder().decode(await unzipped("a.gz", packed))).toBe("hello");
    await expect(unzipped("a.gz", packed.subarray(0, 12))).rejects.toThrow(
      "a.gz: compressed data cannot be read",
    );
  });
});

const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A ustar archive of one entry. */
function tar(name: string, content: string, type = "0"): Uint8Array {
  const body = new TextEncoder().encode(content);
  const block = new Uint8Array(512 + Math.ceil(body.length / 512) * 512);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(124, body.length.toString(8).padStart(11, "0"));
  put(148, "        ");
  put(156, type);
  put(257, "ustar");
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  block.set(body, 512);
  return block;
}

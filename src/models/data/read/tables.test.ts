import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../../test/fake-host.ts";
import type { UserError } from "../../../core/index.ts";
import { readLabels } from "../dataset.ts";
import { type OpenOptions, openDataFile } from "../open-file.ts";
import { loadTokenizer, tokenised } from "./text.ts";

const open = (name: string, content: string | Uint8Array, options: OpenOptions = {}) => {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return openDataFile(
    createFakeHost({ files: { [`/d/${name}`]: { bytes } } }),
    `/d/${name}`,
    options,
  );
};

/** A file that must be refused, with the message that it gets. */
const refused = async (
  name: string,
  content: string | Uint8Array,
  message: string,
  options: OpenOptions = {},
) => {
  const error = await open(name, content, options).then(
    () => null,
    (fault: unknown) => fault as UserError,
  );
  expect(error?.name).toBe("UserError");
  expect(error?.message).toContain(message);
  expect(error?.hint).toMatch(/\w/);
};

describe("CSV", () => {
  test("numbers side by side, text under its name, names as classes in order", async () => {
    const dataset = await open("a.csv", 'h,w,note,class\n1,2,"a, b",yes\n3,4e-1,c,no\n');
    const batch = await dataset.batch([0, 1]);
    expect(batch.get("x")).toEqual({
      dataType: "float32",
      dims: [2, 2],
      data: Float32Array.of(1, 2, 3, 0.4),
    });
    expect(batch.get("note")?.data).toEqual(["a, b", "c"]);
    expect(batch.get("label")?.data).toEqual(BigInt64Array.of(1n, 0n));
    expect(dataset.columns.at(-1)?.classes).toEqual(["no", "yes"]);
  });

  test("a target that is no class is a quantity", async () => {
    const dataset = await open("a.csv", "a,y\n1,0.5\n2,-3\n");
    expect((await dataset.batch([1])).get("target")?.data).toEqual(Float32Array.of(-3));
  });

  test("a first row with a number in it is data", async () => {
    const dataset = await open("a.csv", "1,2,0\n3,4,1\n", { target: "c2" });
    expect(dataset.length).toBe(2);
    expect([...(await readLabels(dataset))]).toEqual([0, 1]);
  });

  test("every fault names row and column", async () => {
    await refused(
      "a.csv",
      "a,label\n1,0\nabc,1\n",
      '/d/a.csv, row 3, column a: "abc" is no number',
    );
    await refused("a.csv", "a,label\n1,0\n,1\n", "row 3, column a: nothing there");
    await refused("a.csv", "a,label\n1,0\nnan,1\n", "row 3, column a: NaN among the inputs");
    await refused("a.csv", "a,label\n1,0\n2,\n", "row 3, column label: no label there");
    await refused("a.csv", "a,label\n1,0\n2,NaN\n", "row 3, column label: no label there");
    await refused("a.csv", "a,y\n1,0.5\n2,inf\n", "row 3, column y: a target of Infinity");
    await refused("a.csv", "a,b\n1,0\n2\n", "row 3: 1 fields where there are 2 columns");
    await refused("a.csv", "a,a\n1,0\n", "two columns called a");
    await refused("a.csv", "", "the file is empty");
    await refused("a.csv", "a,b\n", "no rows");
    await refused("a.csv", 'a,b\n"1,2\n', "is not closed");
    await refused("a.csv", "a,b\n1,2\n", "there is no column z", { target: "z" });
    await refused("a.csv", "a,b\n1,2\n", "there is no column z", { ignore: ["z"] });
    await refused("a.csv", "a,label\n1,x\n", "class x is not known", { classes: ["y"] });
    await refused("a.csv", Uint8Array.of(0x61, 0xff, 0xfe), "the text is not UTF-8");
  });

  test("non-finite inputs pass when they are allowed on purpose, labels never", async () => {
    const dataset = await open("a.csv", "a,label\nnan,0\n1,1\n", { allowNonFinite: true });
    expect((await dataset.batch([0])).get("x")?.data).toEqual(Float32Array.of(Number.NaN));
    await refused("a.csv", "a,label\n1,nan\n", "no label there", { allowNonFinite: true });
  });
});

describe("JSON and JSON lines", () => {
  test("arrays under the name of a target are quantities to come near to", async () => {
    const dataset = await open(
      "a.jsonl",
      '{"x":[1,2],"target":[3,4]}\n{"x":[5,6],"target":[7,8]}\n',
    );
    const batch = await dataset.batch([1]);
    expect(batch.get("target")).toMatchObject({ dims: [1, 2], data: Float32Array.of(7, 8) });
  });

  test("nested arrays are tensors", async () => {
    const text = '{"image":[[1,2],[3,4]],"label":1}\n\n{"image":[[5,6],[7,8]],"label":0}\n';
    const batch = await (await open("a.jsonl", text)).batch([1, 0]);
    expect(batch.get("image")).toEqual({
      dataType: "float32",
      dims: [2, 2, 2],
      data: Float32Array.of(5, 6, 7, 8, 1, 2, 3, 4),
    });
    const array = await open("a.json", '[{"x":[1]},{"x":[2,3]}]');
    expect(array.columns[0]?.shape).toBeNull();
  });

  test("faults name the line or entry, and the field", async () => {
    await refused("a.jsonl", '{"x":1}\n{"x":\n', "line 2: ");
    await refused("a.jsonl", '{"x":1}\n[1]\n', "line 2: no object");
    await refused("a.jsonl", '{"x":1}\n{"y":1}\n', "line 2: a field y that others lack");
    await refused("a.jsonl", '{"x":1,"y":2}\n{"x":1}\n', "line 2: no field y");
    await refused("a.json", '[{"x":[[1,2],[3]]}]', "entry 0, column x: 1 elements on axis 1");
    await refused("a.json", '[{"x":["a"]}]', 'column x: "a" where a number belongs');
    await refused("a.json", '[{"x":[1]},{"x":null}]', "entry 1, column x: null where a number");
    await refused("a.json", `[{"x":${"[".repeat(20)}1${"]".repeat(20)}}]`, "nested deeper than 8");
  });
});

test("Parquet: what another writer wrote, and damage", async () => {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "a", data: [1.5, 2.5], type: "DOUBLE" },
      { name: "label", data: ["u", "v"], type: "STRING" },
    ],
  });
  const dataset = await open("a.parquet", new Uint8Array(buffer));
  expect((await dataset.batch([1])).get("x")?.data).toEqual(Float32Array.of(2.5));
  expect([...(await readLabels(dataset))]).toEqual([0, 1]);
  await refused("a.parquet", new Uint8Array(buffer).subarray(0, 60), "cannot be read as Parquet");
});

describe("time series", () => {
  const HEAD = "@problemName p\n@classLabel true a b\n@data\n";

  test("faults name the line, the dimension and the value", async () => {
    await refused(
      "a.ts",
      `${HEAD}1,2:a\n1,x:b\n`,
      'line 5, dimension 0, value 1: "x" is no finite',
    );
    await refused("a.ts", `${HEAD}1,2:a\n1,NaN:b\n`, 'line 5, dimension 0, value 1: "NaN"');
    await refused("a.ts", `${HEAD}1,2:c\n`, "line 4: class c is not declared");
    await refused(
      "a.ts",
      `${HEAD}1,2:1,2:a\n1,2:a\n`,
      "line 5: 1 dimensions where the first series has 2",
    );
    await refused(
      "a.ts",
      `${HEAD}1,2:1:a\n`,
      "line 4: dimension 1 has 1 values where the first has 2",
    );
    await refused("a.ts", `${HEAD}1,2\n`, "no series with a label after a colon");
    await refused("a.ts", HEAD, "no series");
    await refused("a.ts", "@timeStamps true\n@data\n", "series with time stamps");
  });

  test("the archive of 2018 has the label first and NaN after shorter series", async () => {
    const dataset = await open("Toy_TRAIN.tsv", "1\t0.5\t1\n2\t0.25\tNaN\n");
    expect((await dataset.batch([1])).get("x")).toMatchObject({ dims: [1, 1, 1] });
    expect(dataset.columns[1]?.classes).toEqual(["1", "2"]);
  });

  test("a program called .ts is not taken for series, nor run unasked", async () => {
    await refused("a.ts", "export async function* samples() {}\n", "a program, which is not run");
  });
});

describe("a user's module", () => {
  const from = (samples: unknown, classes?: unknown) =>
    open("a.mjs", "", { importModule: async () => ({ samples, classes }) });

  test("yields samples of any kind", async () => {
    const dataset = await from(
      async function* () {
        yield { x: [[1, 2]], u: Uint8Array.of(7), label: 1, t: "a" };
        yield { x: [[3, 4]], u: Uint8Array.of(8), label: 0, t: "b" };
      },
      ["n", "y"],
    );
    const batch = await dataset.batch([1]);
    expect(batch.get("x")).toMatchObject({ dataType: "float32", dims: [1, 1, 2] });
    expect(batch.get("u")).toMatchObject({ dataType: "uint8", dims: [1, 1] });
    expect(batch.get("label")?.data).toEqual(BigInt64Array.of(0n));
    expect(dataset.columns.find(({ name }) => name === "label")?.classes).toEqual(["n", "y"]);
  });

  test("its faults are told with the sample, without a stack", async () => {
    await expect(from(undefined)).rejects.toThrow("exports no function samples");
    const late = async function* () {
      yield { x: 1 };
      throw new Error("disk is gone");
    };
    await expect(from(late)).rejects.toThrow("/d/a.mjs, sample 1: disk is gone");
    await expect(from(async function* () {})).rejects.toThrow("it yields no samples");
    await expect(
      from(async function* () {
        yield 3;
      }),
    ).rejects.toThrow("sample 0: no object of named values");
    await expect(
      from(async function* () {
        yield { x: { dataType: "float32", dims: [3], data: new Float32Array(2) } };
      }),
    ).rejects.toThrow("sample 0, x: 2 elements where [3] needs 3");
    await expect(
      from(async function* () {
        yield { x: 1 };
        yield { y: 1 };
      }),
    ).rejects.toThrow("sample 1: no value x");
    await refused("a.mjs", "", "a program, which is not run here");
  });
});

test("text becomes tokens by the model's own tokenizer, cut inside and filled at the end", async () => {
  const description = {
    version: "1.0",
    added_tokens: [
      { id: 0, content: "[PAD]", special: true },
      { id: 1, content: "[CLS]", special: true },
      { id: 2, content: "[SEP]", special: true },
      { id: 3, content: "[UNK]", special: true },
    ],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [1], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [2], tokens: ["[SEP]"] },
      },
    },
    decoder: null,
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: { "[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3, good: 4, film: 5, "##s": 6 },
    },
  };
  const tokenizer = await loadTokenizer("tokenizer.json", JSON.stringify(description));
  const texts = await open("a.csv", "text,label\nGood films,1\nbad,0\n");
  const tokens = (length: number) => tokenised(texts, "text", tokenizer, length).batch([0, 1]);
  const long = await tokens(6);
  expect(long.get("input_ids")?.data).toEqual(
    BigInt64Array.of(1n, 4n, 5n, 6n, 2n, 0n, 1n, 3n, 2n, 0n, 0n, 0n),
  );
  expect(long.get("attention_mask")?.data).toEqual(
    BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 0n, 1n, 1n, 1n, 0n, 0n, 0n),
  );
  expect((await tokens(4)).get("input_ids")?.data).toEqual(
    BigInt64Array.of(1n, 4n, 5n, 2n, 1n, 3n, 2n, 0n),
  );
  await expect(loadTokenizer("t.json", "{}")).rejects.toThrow("t.json: describes no tokenizer");
});

test("a name that tells no format is refused with the formats there are", async () => {
  await refused("a.xyz", "", "is no data file that godwit knows");
});

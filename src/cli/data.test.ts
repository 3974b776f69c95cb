import { describe, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";

const files = {
  "/data/vision-digits/digits.csv.gz": "p0,label\n1,0\n",
  "/own/train.csv": "a,b,class\n1,2,no\n3,4,yes\n",
  "/own/test.csv": "a,b,class\n5,6,yes\n",
};
const data = (...args: readonly string[]) =>
  godwit(["data", ...args], { cwd: "/", machine: { files, env: { GODWIT_DATA: "/data" } } });

describe("godwit data", () => {
  test("lists what is here, what can be had and what cannot, within 80 columns", async () => {
    const { out, code } = await data("list");
    expect(code).toBe(0);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(out).toMatch(/^digits .* yes$/m);
    expect(out).toMatch(/^fashion-mnist .* get$/m);
    expect(out).toMatch(/^statlog .* no$/m);
  });

  test("every entry of the catalogue has origin, licence and a checksum a file", async () => {
    const { datasets, schema } = JSON.parse((await data("list", "--json")).out);
    expect(schema).toBe("godwit.datasets/1");
    for (const { name, origin, licence, files: listed } of datasets) {
      expect([name, origin.length > 0, licence.length > 0]).toEqual([name, true, true]);
      for (const { path, sha256, md5, url, maxBytes } of listed) {
        const sums = [/^[0-9a-f]{64}$/.test(sha256), /^[0-9a-f]{32}$/.test(md5)];
        expect([path, sums.includes(true)]).toEqual([path, true]);
        if (url !== undefined) expect([url.slice(0, 8), maxBytes > 0]).toEqual(["https://", true]);
      }
    }
  });

  test("tells where a dataset lies, or how to get it", async () => {
    expect((await data("path", "digits")).out).toBe("/data/vision-digits\n");
    const absent = await data("path", "mnist");
    expect(absent.code).toBe(2);
    expect(absent.err).toContain("fix  godwit data get mnist");
    expect((await data("get", "statlog")).err).toContain("Point GODWIT_DATA to a folder");
    expect((await data("get", "digits")).err).toContain("digits is here already");
  });

  test("shows parts, columns and classes of a folder of one's own", async () => {
    const { out } = await data("show", "/own");
    expect(out).toContain("train       2 samples");
    expect(out).toContain("x  float32[2]");
    expect(out).toContain("label  int64[]  2 classes, 1 each: no, yes");
    const summary = JSON.parse((await data("show", "/own", "--json")).out);
    expect(summary).toMatchObject({ schema: "godwit.data/1", entry: null });
    expect((await data("show", "/nothing.csv")).code).toBe(2);
  });
});

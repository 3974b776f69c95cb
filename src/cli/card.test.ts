// card, badge and the formats of export, on a real ledger in a temporary project.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, createSession, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import { startServer } from "../../test/http-server.ts";
import { richCard } from "../../test/sample-card.ts";
import { createNodeHost } from "../core/host/node-host.ts";
import { openLedger } from "../ledger/index.ts";
import { runProgram } from "./program.ts";

let cwd = "";
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-card-"));
  const ledger = await openLedger(join(cwd, ".godwit"));
  await ledger.put(exampleCard({ id: "small", startedAt: "2025-12-01T00:00:00Z" }));
  await ledger.put(richCard({ id: "rich" }));
  ledger.close();
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]): Promise<Answer> => godwit(args, { cwd });
const readme = (text: string): void => writeFileSync(join(cwd, "README.md"), text);
const readBack = (): string => readFileSync(join(cwd, "README.md"), "utf8");

describe("godwit card", () => {
  test("writes grams, keeps what a person wrote, and says what it kept", async () => {
    readme("---\nco2_eq_emissions:\n  emissions: 0.1 # kg?\n  geographical_location: Lyon\n---\n");
    const { code, err } = await run("card", "rich", "README.md", "--training-type", "fine-tuning");
    expect(code).toBe(0);
    expect(err).toContain('geographical_location stays "Lyon"; the run says "France"');
    expect(readBack()).toContain("  emissions: 0.13702 # kg?\n  geographical_location: Lyon\n");
    expect(readBack()).toContain('training_type: "fine-tuning"');
    expect((await run("card", "rich", "README.md", "--check")).code).toBe(0);
  });

  test("--check ends with 1 when something is wrong, and changes nothing", async () => {
    const text = "---\nco2_eq_emissions: 7.5\n---\n7.5 kg of CO2\n";
    readme(text);
    const { code, out } = await run("card", "--check", "README.md");
    expect({ code, out }).toEqual({
      code: 1,
      out: "README.md: 7.5 is in kg in the text below: in grams it is 7500\n",
    });
    expect(readBack()).toBe(text);
  });

  test("a file that is no text stays as it is", async () => {
    const model = Buffer.from([8, 7, 0x12, 0xff, 0xfe, 0, 1]);
    writeFileSync(join(cwd, "model.onnx"), model);
    const { code, err } = await run("card", "rich", "model.onnx");
    expect([code, err]).toEqual([2, expect.stringContaining("model.onnx is no text\n  fix  ")]);
    expect(readFileSync(join(cwd, "model.onnx"))).toEqual(model);
  });

  test("a file that is not there, or a command line without one, is wrong usage", async () => {
    expect((await run("card", "--check", "none.md")).code).toBe(2);
    expect((await run("card", "rich")).err).toContain("no model card was named");
  });
});

describe("godwit badge", () => {
  test("is an SVG on standard output, or a file", async () => {
    expect((await run("badge")).out).toMatch(/^<svg .*energy: ~11\.2 kJ/);
    expect((await run("badge", "small", "-o", "b.svg")).out).toBe("");
    expect(readFileSync(join(cwd, "b.svg"), "utf8")).toContain("~4.50 kJ");
  });

  test("--endpoint is what shields.io asks for", async () => {
    const { out } = await run("badge", "rich", "--per", "100", "--item", "image", "--endpoint");
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, message: "~112 J per image" });
  });
});

describe("godwit export", () => {
  test("writes every format of other tools", async () => {
    expect((await run("export", "--prometheus", "-")).out).toContain("# TYPE godwit_runs_total");
    expect((await run("export", "--codecarbon", "-")).out).toContain(",FRA,");
    expect((await run("export", "--impact-framework", "-")).out).toContain("builtin");
    const report = JSON.parse((await run("export", "rich", "--boamps", "-")).out);
    expect(report.measures[0].powerConsumption).toBeCloseTo(0.0031, 10);
    expect((await run("export", "--boamps", "-")).err).toContain("is of one run, not several");
  });

  test("--otlp sends metrics and traces with the credential of a file, which is never shown", async () => {
    const { url, requests } = await startServer((_, response) => response.end("{}"));
    writeFileSync(join(cwd, "headers"), "Authorization: Bearer hush\n");
    const { context, printed } = createSession({ cwd });
    const real = { ...context, host: createNodeHost() };
    const args = ["export", "--otlp", url, "--otlp-headers", "headers"];
    expect(await runProgram(real, args)).toBe(0);
    expect(requests.map((request) => request.url)).toEqual(["/v1/metrics", "/v1/traces"]);
    expect(requests[1]?.headers["authorization"]).toBe("Bearer hush");
    expect(String(Buffer.concat(printed.err))).toBe("Sent 2 runs\n");
  });

  test("what the receiver rejects is said and ends with 1", async () => {
    const partial = { partialSuccess: { rejectedSpans: "2", errorMessage: "full" } };
    const { url } = await startServer((_, response) => response.end(JSON.stringify(partial)));
    const { context, printed } = createSession({ cwd });
    expect(
      await runProgram({ ...context, host: createNodeHost() }, ["export", "--otlp", url]),
    ).toBe(1);
    expect(String(Buffer.concat(printed.err))).toContain("rejected 2 of the traces: full");
  });
});

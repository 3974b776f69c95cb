import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signalOf } from "./run-options.ts";
import { declared, readSettings } from "./settings.ts";
import { parseNumber } from "./values.ts";

const project = mkdtempSync(join(tmpdir(), "godwit-settings-"));
const inside = join(project, "src", "deep");
const write = (content: unknown): void =>
  writeFileSync(
    join(project, "godwit.json"),
    typeof content === "string" ? content : JSON.stringify(content),
  );

beforeAll(() => mkdirSync(inside, { recursive: true }));
afterAll(() => rmSync(project, { recursive: true }));

test("settings are those of the nearest folder upward", () => {
  write({ location: "DE", pue: 1.2 });
  expect(readSettings(inside).values).toEqual({ location: "DE", pue: "1.2" });
});

test("an option goes before the environment, and that before the settings", () => {
  write({ pue: 1.2 });
  const pue = (given: number | undefined, env: Record<string, string>) =>
    declared({ env, cwd: inside }, "pue", given, parseNumber);
  expect(pue(1.4, { GODWIT_PUE: "1.3" })).toBe(1.4);
  expect(pue(undefined, { GODWIT_PUE: "1.3" })).toBe(1.3);
  expect(pue(undefined, { GODWIT_PUE: "" })).toBe(1.2);
  write({});
  expect(pue(undefined, {})).toBeUndefined();
});

test("the project's place stands below what a cloud proves, so it is handed on as such", () => {
  write({ location: "FR" });
  const site = { env: {}, cwd: inside };
  expect(signalOf({}, site)).toMatchObject({ config: { location: "FR" } });
  expect(signalOf({ location: "DE" }, site)).toEqual({ location: "DE", given: "by --location" });
});

describe("a file that is wrong is refused by name", () => {
  test.each([
    ["no JSON", "{", /godwit.json is no JSON/, /Write it as/],
    ["a list", [], /not an object/, /Write it as/],
    ["an unknown name", { lokation: "DE" }, /no setting "lokation"/, /Did you mean "location"/],
    ["a nested value", { pue: { value: 1 } }, /pue is neither/, /Write it as/],
  ])("%s", (_, content, message, hint) => {
    write(content);
    let error: unknown;
    try {
      readSettings(inside);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: "UserError", message: expect.stringMatching(message) });
    expect(error).toMatchObject({ hint: expect.stringMatching(hint) });
  });

  test("a value that its option would not take names the file", () => {
    write({ pue: "much" });
    expect(() => declared({ env: {}, cwd: inside }, "pue", undefined, parseNumber)).toThrow(
      /godwit.json: pue: cannot read "much"/,
    );
  });
});

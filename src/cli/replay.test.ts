import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";
import { missing } from "../../test/replay-files.ts";
import { dataFile } from "../../test/shared-data.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-replay-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

describe("godwit replay", () => {
  test("without data says how to give it, and names a missing file", async () => {
    const none = await godwit(["replay", "gaia"], { cwd });
    expect(none.code).toBe(2);
    expect(none.err).toContain("--data FOLDER or set GODWIT_DATA");
    const unset = await godwit(["replay", "gaia"], { cwd, env: { GODWIT_DATA: "" } });
    expect(unset.err).toBe(none.err);
    const empty = await godwit(["replay", "gaia", "--data", cwd], { cwd });
    expect(empty.code).toBe(2);
    expect(empty.err).toContain(join(cwd, "scheduling/gaia/pai_1k.csv"));
  });

  test("an unknown study is refused with the known ones", async () => {
    const { code, err } = await godwit(["replay", "gaja"], { cwd });
    expect(code).toBe(2);
    expect(err).toContain("eurosys24, gaia, lwa, zeus");
  });

  test.skipIf(missing("scheduling/gaia", "scheduling/eurosys24"))(
    "prints ours beside published within 80 columns, and the value of the code where print differs",
    async () => {
      const { code, out } = await godwit(["replay", "gaia", "--data", dataFile("")], { cwd });
      expect(code).toBe(0);
      expect(out).toMatch(/lowest-window +of run-now +0\.683704 +0\.683704/);
      expect(out).toMatch(/0\.546196 +0\.607509 +equals 0\.546196, see below/);
      expect(out).toContain("all 6 agree");
      const table = out.split("\n").slice(3, 10);
      expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );

  test.skipIf(missing("scheduling/gaia", "scheduling/eurosys24"))(
    "ends with 1 and names the figure where ours differs: here by a job that is left out",
    async () => {
      const folder = join(cwd, "scheduling/gaia");
      mkdirSync(folder, { recursive: true });
      symlinkSync(dataFile("scheduling/eurosys24"), join(cwd, "scheduling/eurosys24"));
      const trace = readFileSync(dataFile("scheduling/gaia/pai_1k.csv"), "utf8").trimEnd();
      writeFileSync(join(folder, "pai_1k.csv"), trace.split("\n").slice(0, -1).join("\n"));
      const args = ["replay", "gaia", "--data", cwd] as const;
      const { code, out } = await godwit(args, { cwd });
      expect(code).toBe(1);
      expect(out).toMatch(/lowest-window +of run-now +0\.68\d+ +0\.683704 +DIFFERS/);
      const json = JSON.parse((await godwit([...args, "--json"], { cwd })).out);
      expect(json.matched).toBe(false);
    },
  );

  test.skipIf(missing("scheduling/zeus"))(
    "--json is one object that says whether all matched",
    async () => {
      const args = ["replay", "zeus", "--json"];
      const { code, out } = await godwit(args, { cwd, env: { GODWIT_DATA: dataFile("") } });
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        schema: "godwit.replay/1",
        name: "zeus",
        matched: true,
      });
    },
  );
});

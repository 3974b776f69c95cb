import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";
import type { FakeMachine } from "../../test/fake-host.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-intensity-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const intensity = (args: readonly string[], machine: FakeMachine) =>
  godwit(["intensity", ...args], { cwd: folder, env: { XDG_CACHE_HOME: folder }, machine });

// The fake host's clock stands at 2026-01-01T00:00:00Z.
const uk = {
  http: (url: string) => {
    expect(url).toBe(
      "https://api.carbonintensity.org.uk/intensity/2026-01-01T00:00Z/2026-01-03T00:00Z",
    );
    const data = [
      { from: "2026-01-01T00:00Z", to: "2026-01-01T00:30Z", intensity: { forecast: 266 } },
      { from: "2026-01-01T00:30Z", to: "2026-01-01T01:00Z", intensity: { forecast: 240 } },
    ];
    return { status: 200, headers: {}, body: JSON.stringify({ data }) };
  },
} satisfies FakeMachine;
const forecast = ["GB", "--from", "uk", "--want", "forecast"];

describe("godwit intensity", () => {
  test("prints a forecast with its accounting", async () => {
    const { out, err, code } = await intensity(forecast, uk);
    expect(code).toBe(0);
    expect(out).toMatch(/^2026-01-01T00:30Z +2026-01-01T01:00Z +240 gCO2e\/kWh$/m);
    expect(err).toContain("average, location-based, direct");
  });
  test("offline it answers from what was kept, and says how old that is", async () => {
    const gone = { http: () => expect.unreachable("the network was asked") };
    expect((await intensity([...forecast, "--offline"], gone)).code).toBe(1);
    await intensity(forecast, uk);
    const { out, err } = await intensity([...forecast, "--offline"], gone);
    expect(out).toContain("266 gCO2e/kWh");
    expect(err).toContain("offline: UK Carbon Intensity: kept answer of 0 s ago");
  });
  test("its JSON can be read back as a file", async () => {
    const { out } = await intensity([...forecast, "--json"], uk);
    expect(JSON.parse(out)).toMatchObject({ schema: "godwit.intensity/1", scope: "direct" });
    const again = await intensity(
      ["GB", "--from", "./gb.json", "--want", "history", "--scope", "direct", "--json"],
      { files: { "/gb.json": out, "./gb.json": out, "/./gb.json": out } },
    );
    expect(JSON.parse(again.out).data).toEqual(JSON.parse(out).data);
  });
  test("what a source cannot give is refused, and a file of unknown scope stays so", async () => {
    expect((await intensity([...forecast, "--scope", "life-cycle"], uk)).code).toBe(2);
    expect((await intensity([...forecast, "--kind", "marginal"], uk)).code).toBe(2);
    const text = "start,gco2e_per_kwh\n2026-01-01T00:00Z,300\n2026-01-01T01:00Z,310\n";
    const { err } = await intensity(["X", "--from", "/ci.csv"], { files: { "/ci.csv": text } });
    expect(err).toContain("average, location-based, of unknown scope");
  });
  test("an unknown source and a missing credential say what to do", async () => {
    const unknown = await intensity(["DE", "--from", "electricty-maps"], {});
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("electricity-maps,")]);
    const denied = await intensity(["DE", "--from", "electricity-maps"], {});
    expect([denied.code, denied.err]).toEqual([
      1,
      expect.stringContaining("ELECTRICITY_MAPS_TOKEN"),
    ]);
  });
});

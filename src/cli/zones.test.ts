import { describe, expect, test } from "vitest";
import { godwit } from "../../test/cli-session.ts";

const zones = (...args: readonly string[]) => godwit(["zones", ...args], { cwd: "/" });

describe("godwit zones", () => {
  test("lists every place once, within 80 columns", async () => {
    const { out, code } = await zones();
    const lines = out.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(lines.length).toBeGreaterThan(400);
    expect(lines[0]).toMatch(/^PLACE +NAME +GCO2E\/KWH +SCOPE +YEAR +SOURCE$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(new Set(lines.map((line) => line.split(" ")[0])).size).toBe(lines.length);
  });
  test("finds by code, alias and part of a name, the exact ones first", async () => {
    expect((await zones("DEU")).out).toMatch(/^DE +Germany +342 +life-cycle +20\d\d +Ember/m);
    expect((await zones("ireland")).out.split("\n")[1]).toMatch(/^IE /);
    expect((await zones("eu-west-1")).out).toMatch(/^aws:eu-west-1 +Ireland .* as IE/m);
  });
  test("one kind only, and the kinds are checked", async () => {
    const { out } = await zones("--kind", "state");
    expect(out.trimEnd().split("\n")).toHaveLength(52);
    expect((await zones("--kind", "planet")).code).toBe(2);
  });
  test("one place shows all its years, and its caveat", async () => {
    expect((await zones("CISO")).err).toMatch(/^Years: 2019 227 gCO2e\/kWh \(life-cycle\), 2020/);
    expect((await zones("ca-west-1")).err).toContain("far from the mean of Canada");
  });
  test("JSON is versioned, with units in the names and what stands for what", async () => {
    const { zones: found, schema } = JSON.parse((await zones("aws:ca-central-1", "--json")).out);
    expect(schema).toBe("godwit.zones/1");
    expect(found).toMatchObject([
      {
        id: "aws:ca-central-1",
        kind: "cloud-region",
        stands_for: "gcp:northamerica-northeast1",
        gco2e_per_kwh: 5.48,
        scope: "direct",
        year: 2024,
      },
    ]);
    expect(found[0].years).toHaveLength(6);
  });
  test("nothing found is an error with the nearest that there is", async () => {
    const { err, code, out } = await zones("germny");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Did you mean Germany");
  });
});

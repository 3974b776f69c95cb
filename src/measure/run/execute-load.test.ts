import { describe, expect, test } from "vitest";
import { createLoadGenerator } from "./execute-load.ts";

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

describe("the load generator", () => {
  test("makes threads of this process busy until it is stopped", async () => {
    const load = createLoadGenerator(2);
    const before = cpuSeconds();
    await load.set(0.75);
    // More than the start of two workers takes; only busy ones get there.
    while (cpuSeconds() - before < 1) await new Promise((resolve) => setImmediate(resolve));
    await load.set(0);
    await load.stop();
  });

  test("ends workers that never had work, and none at all", async () => {
    const load = createLoadGenerator(1);
    await load.set(0);
    await expect(load.stop()).resolves.toBeUndefined();
    await expect(createLoadGenerator(4).stop()).resolves.toBeUndefined();
  });
});

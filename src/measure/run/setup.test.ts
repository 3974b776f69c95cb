import { describe, expect, test } from "vitest";
import { loadMachine } from "../../../test/fake-host.ts";
import { setUp } from "./setup.ts";

const guest = (env: Record<string, string>) => loadMachine("guest-kvm-no-sensors", { env });
const pueIn = async (env: Record<string, string>) =>
  (await setUp(guest(env), { providers: [] })).pue;

describe("the PUE of a machine in a data centre", () => {
  test("is the provider's own where the environment proves the cloud", async () => {
    // Google data centre efficiency, as Green Algorithms 3 read it on 2020-09-29: St. Ghislain, 1.08.
    const pue = await pueIn({ FUNCTION_REGION: "europe-west1", K_SERVICE: "train" });
    expect(pue.value).toBe(1.08);
    expect(pue.fallbacks).toEqual([]);
  });
  test("is the surveyed mean where nothing proves it, and says so", async () => {
    const pue = await pueIn({ AWS_REGION: "eu-west-1" });
    expect(pue.value).toBe(1.56);
    expect(pue.fallbacks).toHaveLength(1);
  });
});

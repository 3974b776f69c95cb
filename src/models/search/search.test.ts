import { describe, expect, test } from "vitest";
import { joules } from "../../core/index.ts";
import {
  type Assignment,
  asha,
  fullRuns,
  parseSpace,
  type SearchOptions,
  search,
  tpe,
} from "./index.ts";

describe("a search", () => {
  const space = parseSpace({ x: { float: [0, 1] } });
  const evaluate = async ({ config, resource }: Assignment) => ({
    value: 1 - (Number(config["x"]) - 0.4) ** 2 - 1 / (10 * resource),
    joules: 2 * resource,
  });
  const options = (changes: Partial<SearchOptions> = {}): SearchOptions => ({
    ...{ space, sampler: tpe({ startUp: 4 }), scheduler: fullRuns(12, 9), seed: 1, evaluate },
    goal: { better: "higher" },
    ...changes,
  });

  test("is repeated by its seed, and adds up all that it used", async () => {
    const [a, b] = [await search(options()), await search(options({ scheduler: fullRuns(12, 9) }))];
    expect(a).toEqual(b);
    expect(a).toMatchObject({ energy: 12 * 18, stopped: "done" });
    expect(a.best?.value).toBe(Math.max(...a.outcomes.map(({ value }) => value ?? 0)));
  });

  test("goes on where it stopped: what is known is not run again, and the end is the same", async () => {
    const scheduler = () => asha({ trials: 12, least: 1, most: 9 });
    const whole = await search(options({ scheduler: scheduler() }));
    for (const cut of [1, 7, whole.outcomes.length]) {
      let runs = 0;
      const resumed = await search(
        options({
          scheduler: scheduler(),
          known: whole.outcomes.slice(0, cut),
          evaluate: async (assignment) => {
            runs++;
            return evaluate(assignment);
          },
        }),
      );
      expect(resumed).toEqual(whole);
      expect(runs).toBe(whole.outcomes.length - cut);
    }
  });

  test("keeps workers busy, as many as it was given", async () => {
    let [now, most] = [0, 0];
    const busy: SearchOptions["evaluate"] = async (assignment) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
      return evaluate(assignment);
    };
    await search(options({ evaluate: busy, workers: 3 }));
    expect(most).toBe(3);
  });

  test("ends when its energy is spent, and says so", async () => {
    const result = await search(options({ maxEnergy: joules(40) }));
    expect(result.stopped).toBe("energy");
    expect(result.outcomes.length).toBe(3);
    const silent: SearchOptions["evaluate"] = async () => ({ value: 1, joules: null });
    await expect(search(options({ maxEnergy: joules(40), evaluate: silent }))).rejects.toThrow(
      "has no energy to count",
    );
    expect((await search(options({ evaluate: silent }))).energy).toBeNull();
  });

  test("stops at an abort with what it has; a fault of ours ends it and every worker", async () => {
    const abort = new AbortController();
    const result = await search(
      options({
        signal: abort.signal,
        onOutcome: (_, all) => {
          if (all.length === 5) abort.abort();
        },
      }),
    );
    expect(result).toMatchObject({ stopped: "aborted" });
    expect(result.outcomes.length).toBe(5);
    const broken: SearchOptions["evaluate"] = async () => Promise.reject(new Error("no memory"));
    await expect(search(options({ evaluate: broken, workers: 2 }))).rejects.toThrow("no memory");
  });

  test("failures are outcomes: never promoted, never best", async () => {
    const result = await search(
      options({
        scheduler: asha({ trials: 9, least: 1, most: 9 }),
        evaluate: async ({ trial, resource }) => ({
          value: trial < 8 ? null : 0.5,
          joules: resource,
        }),
      }),
    );
    expect(result.best?.trial).toBe(8);
    expect(
      result.outcomes.filter(({ resource }) => resource > 1).map(({ trial }) => trial),
    ).toEqual([8]);
  });
});

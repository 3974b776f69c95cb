import { beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { operators } from "../../../../test/operators.ts";
import { smallPictures, smallVisionNet } from "../../../../test/small-vision.ts";
import { createSession, nativeRuntime } from "../../../engine/index.ts";
import { allRows } from "../../data/index.ts";
import { CALIBRATION_BATCH, inputsOf, samplesFor } from "../judge/index.ts";
import type { PassContext } from "../pass.ts";
import { prepareStatic, sensitivityScan } from "../quantise/index.ts";
import { endingAfter, isOutOfTime } from "./time.ts";
import { createWorkshop } from "./workshop.ts";

describe("time that is over", () => {
  test("is told from a user who stops", async () => {
    const over = endingAfter(0, undefined);
    await new Promise((resolve) => over.addEventListener("abort", resolve));
    expect(isOutOfTime(over.reason)).toBe(true);
    const stopped = endingAfter(3600, AbortSignal.abort(new Error("stop")));
    expect(stopped.aborted).toBe(true);
    expect(isOutOfTime(stopped.reason)).toBe(false);
  });

  test("may be longer than a timer takes", () => {
    expect(endingAfter(1e9, undefined).aborted).toBe(false);
  });
});

describe.skipIf(nativeMissing !== null)("work that is broken off", () => {
  const net = smallVisionNet();
  let context: PassContext;

  beforeAll(async () => {
    const session = await createSession(net);
    const samples = samplesFor(smallPictures(16, null), session.inputs);
    await session.close();
    const calibration = inputsOf(samples, allRows(16), CALIBRATION_BATCH);
    context = { operators, runtime: nativeRuntime(), seed: 1, calibration };
  });

  test("leaves of a scan what it has got to, and what is remembered is not done again", async () => {
    const quantiser = await prepareStatic(net, context);
    const kept = new Map<string, number>();
    let computed = 0;
    const scan = (goOn: () => boolean) =>
      sensitivityScan(net, quantiser, context, {
        goOn,
        remember: async (node, compute) => {
          const known = kept.get(node);
          if (known !== undefined) return known;
          computed++;
          const error = await compute();
          kept.set(node, error);
          return error;
        },
      });
    const part = await scan(() => computed < 2);
    expect(part).toHaveLength(2);
    const whole = await scan(() => true);
    expect(whole).toHaveLength(quantiser.candidates.length);
    expect(computed).toBe(quantiser.candidates.length);
    for (const found of part) expect(whole).toContainEqual(found);
  });

  test("leaves the workshop able to do it later", async () => {
    const workshop = createWorkshop(net, context);
    const steps = [
      { pass: "simplify" as const, options: {} },
      { pass: "quantise-static" as const, options: { calibration: { method: "mse" } } },
    ];
    const over = AbortSignal.abort(new DOMException("over", "TimeoutError"));
    await expect(workshop.build(steps, over)).rejects.toSatisfy(isOutOfTime);
    const { changes } = await workshop.build(steps);
    expect(changes.some(({ pass }) => pass === "quantise-static")).toBe(true);
  });
});

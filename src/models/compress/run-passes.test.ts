import { describe, expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { node, model as small } from "../../../test/small-model.ts";
import { nativeRuntime } from "../../engine/index.ts";
import type { Model } from "../../onnx/index.ts";
import type { Fidelity, Pass, PassContext } from "./pass.ts";
import { runSteps, stepOf } from "./run-passes.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };
const model = small({ inputs: { x: [2] }, nodes: [node("Relu", [["x"], ["y"]])] });

const renaming = (name: string, fidelity: Fidelity): Pass<{ readonly to: string | null }> => ({
  name,
  fidelity,
  async apply(before: Model, _context, { to }) {
    if (to === null) {
      const refused = [{ pass: name, subject: "y", reason: "no name was given" }];
      return { model: before, changes: [], refused };
    }
    const changes = [{ pass: name, subject: "model", what: `called ${to}` }];
    return { model: { ...before, producerName: to }, changes, refused: [] };
  },
});

describe("runSteps", () => {
  test("hands each step the model of the one before, and keeps what all of them say", async () => {
    const steps = [
      stepOf(renaming("first", "reordered"), { to: "a" }),
      stepOf(renaming("second", "exact"), { to: "b" }),
      stepOf(renaming("third", "approximate"), { to: null }),
    ];
    const result = await runSteps(model, steps, context);
    expect(result.model.producerName).toBe("b");
    expect(result.changes.map(({ pass }) => pass)).toEqual(["first", "second"]);
    expect(result.refused.map(({ reason }) => reason)).toEqual(["no name was given"]);
    // A pass that changed nothing weakens nothing.
    expect(result.fidelity).toBe("reordered");
  });

  test("stops between two steps", async () => {
    const controller = new AbortController();
    const steps = [
      { ...stepOf(renaming("first", "exact"), { to: "a" }) },
      stepOf(renaming("never", "exact"), { to: "b" }),
    ];
    const run = runSteps(model, steps, {
      ...context,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(run).rejects.toThrow("enough");
  });

  test("names the pass that makes a faulty model", async () => {
    const breaking: Pass = {
      name: "breaking",
      fidelity: "exact",
      async apply(before) {
        const graph = before.graph && { ...before.graph, nodes: [node("Relu", [["z"], ["y"]])] };
        return { model: { ...before, ...(graph && { graph }) }, changes: [], refused: [] };
      },
    };
    await expect(runSteps(model, [stepOf(breaking, undefined)], context)).rejects.toThrow(
      /breaking made a faulty model.*"z"/,
    );
  });
});

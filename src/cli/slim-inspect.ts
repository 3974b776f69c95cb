// `godwit slim inspect`: what could be made smaller in a model, and what could not, with the reason.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { nativeRuntime } from "../engine/index.ts";
import { countModel, formatAmount } from "../measure/profile/index.ts";
import {
  nodesWithSubGraphs,
  type PassContext,
  pruningGroups,
  quantiseDynamic,
  reasonLeft,
  runSteps,
  simplify,
  stepOf,
} from "../models/compress/index.ts";
import { loadOperators, type Model } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { openSlimModel } from "./slim-inputs.ts";
import { textTable } from "./text-table.ts";

/** The command `slim inspect`. */
export const slimInspectCommand = (context: CliContext) =>
  new Command("inspect")
    .description("Show what could be made smaller in a model, and what not and why.")
    .argument("<model>", "an .onnx file")
    .option("--json", "print as JSON")
    .action(async (file, { json }) => {
      const model = await openSlimModel(resolve(context.cwd, file));
      try {
        const found = await inspect(context, model.whole);
        context.stdout.write(
          json === true
            ? `${JSON.stringify({ schema: "godwit.slim-inspect/1", file, ...found }, null, 2)}\n`
            : inspectText(found, context.stdout.columns),
        );
      } finally {
        model.close();
      }
    });

interface Inspected {
  readonly opset: number;
  readonly operators: readonly {
    readonly operator: string;
    readonly before: number;
    readonly after: number;
  }[];
  readonly parameters: number;
  readonly macs: string;
  readonly isQuantised: boolean;
  readonly simplified: { readonly nodesBefore: number; readonly nodesAfter: number };
  readonly groups: readonly {
    readonly name: string;
    readonly units: number;
    readonly tensors: number;
  }[];
  readonly frozen: readonly {
    readonly tensor: string;
    readonly axis: number;
    readonly reason: string;
  }[];
  readonly products: {
    readonly int8: number;
    readonly refused: readonly { readonly subject: string; readonly reason: string }[];
  };
  /** What lies in branches and loops. */
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

async function inspect(context: CliContext, model: Model): Promise<Inspected> {
  const own: PassContext = {
    operators: await loadOperators(context.host),
    runtime: nativeRuntime(),
    seed: 1,
  };
  const small = (await runSteps(model, [stepOf(simplify, undefined)], own)).model;
  const { groups, frozen } = await pruningGroups(small, own);
  const dynamic = await quantiseDynamic.apply(small, own, undefined);
  const count = countModel(model);
  const [before, after] = [operatorCounts(model), operatorCounts(small)];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return {
    opset: Number(
      model.opsetImports.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 0,
    ),
    operators: names
      .map((operator) => ({
        operator,
        before: before.get(operator) ?? 0,
        after: after.get(operator) ?? 0,
      }))
      .sort((a, b) => b.before - a.before),
    parameters: count.parameters.total,
    macs: count.totals.macs === null ? "not known" : formatAmount(count.totals.macs),
    isQuantised: names.some((name) =>
      /^(QLinear|DequantizeLinear$|MatMulNBits$|MatMulInteger$)/.test(name),
    ),
    simplified: { nodesBefore: sum(before), nodesAfter: sum(after) },
    groups: groups.map(({ name, size, members }) => ({
      name,
      units: size,
      tensors: members.length,
    })),
    frozen,
    products: {
      int8: dynamic.changes.length,
      refused: dynamic.refused.map(({ subject, reason }) => ({ subject, reason })),
    },
    left: nodesWithSubGraphs(model).map((of) => ({ name: of.name, reason: reasonLeft(of) })),
  };
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

function operatorCounts({ graph }: Model): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { opType } of graph?.nodes ?? []) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
}

function inspectText(found: Inspected, width: number): string {
  const { simplified, groups, frozen, products } = found;
  const reasons = new Map<string, number>();
  for (const { reason } of frozen) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return `${[
    `opset ${found.opset}, ${found.parameters.toLocaleString("en")} parameters, ${found.macs} MAC a run`,
    ...(found.isQuantised
      ? ["it is quantised already: only sessions and channels can be changed"]
      : []),
    `simplify   ${simplified.nodesBefore} nodes to ${simplified.nodesAfter}`,
    `quantise   ${products.int8} matrix products without samples; godwit slim quantise --data tells of the rest`,
    `prune      ${groups.length} groups of channels; ${frozen.length} axes stay whole`,
    ...[...reasons]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 6)
      .map(([reason, count]) => `           ${count} x ${reason}`),
    ...found.left.map(({ name, reason }) => `left       ${name}: ${reason}`),
    "",
    ...textTable(
      [
        { title: "OPERATOR", flexible: true },
        { title: "NODES", align: "right" },
        { title: "SIMPLIFIED", align: "right" },
      ],
      found.operators.map(({ operator, before, after }) => [
        operator,
        String(before),
        String(after),
      ]),
      width,
    ),
  ].join("\n")}\n`;
}

// Everything that makes a graph simpler without changing what it computes, in a chain that is gone
// through until nothing changes.

import { type StaticDims, type TensorValue, weightBytes } from "../../../engine/index.ts";
import type { Model } from "../../../onnx/index.ts";
import type { Change, Pass, PassContext, Refusal } from "../pass.ts";
import { runSteps, type Step, stepOf } from "../run-passes.ts";
import { removeDeadCode } from "./dead-code.ts";
import { fixDims } from "./fix-dims.ts";
import { fixInputs } from "./fix-inputs.ts";
import { fixWeights } from "./fix-weights.ts";
import { DEFAULT_GROWTH, foldConstants } from "./fold-constants.ts";
import { type Rule, rulesPass } from "./rule.ts";
import { takeBranch } from "./rules/constant-if.ts";
import { foldAffineBefore, foldAffineBehind, swapFactorAndSummand } from "./rules/fold-affine.ts";
import { foldIntoNormalisation } from "./rules/fold-norm.ts";
import { fuseGelu } from "./rules/gelu.ts";
import { fuseGemm } from "./rules/gemm.ts";
import { fuseHardSigmoid, fuseHardSwish } from "./rules/hard-swish.ts";
import { dropIdentities } from "./rules/identity.ts";
import { fuseLayerNorm } from "./rules/layer-norm.ts";
import { fixReshape, mergeReshapes, mergeTransposes } from "./rules/layout.ts";
import { moveFactorBeforeRelu } from "./rules/move-factor.ts";
import { foldPad } from "./rules/pad.ts";
import { shareEqual } from "./share.ts";
import { storeConstants } from "./store-constants.ts";
import { upgradeOpset } from "./upgrade.ts";

export interface SimplifyOptions {
  /**
   * Whether to leave out whatever may move outputs by rounding, the upgrade of the opset among it.
   * Default: false.
   */
  readonly exact?: boolean;
  /** Bytes that folded constants may add to the file. Default: 1 MiB. */
  readonly growth?: number;
  /** Sizes to write into the model. */
  readonly dims?: StaticDims;
  /** Values of inputs that are always the same; they are no inputs any more. */
  readonly inputs?: Readonly<Record<string, TensorValue>>;
  /** Opset to bring the model to. Default: 21. */
  readonly opset?: number;
}

const EXACT_RULES: readonly Rule[] = [
  dropIdentities,
  takeBranch,
  mergeTransposes,
  mergeReshapes,
  fixReshape,
];

/** Written-out formulas are found before their constants move elsewhere. */
const FUSIONS: readonly Rule[] = [fuseHardSigmoid, fuseHardSwish, fuseGelu, fuseLayerNorm];

const FOLDINGS: readonly Rule[] = [
  foldPad,
  fuseGemm,
  foldAffineBehind,
  foldIntoNormalisation,
  foldAffineBefore,
  moveFactorBeforeRelu,
  swapFactorAndSummand,
];

/** Every rule, for those who want to apply some of them. */
export const simplifyRules: readonly Rule[] = [...EXACT_RULES, ...FUSIONS, ...FOLDINGS];

const MOST_ROUNDS = 10;

/** Simplifies a model. With `exact` its outputs stay the same bit for bit. */
export const simplify: Pass<SimplifyOptions | undefined> = {
  name: "simplify",
  fidelity: "reordered",
  async apply(model, context, options = {}) {
    const { dims, inputs, opset, exact = false } = options;
    const first = [
      stepOf(fixWeights, { formatOnly: exact }),
      ...(exact
        ? []
        : [stepOf(storeConstants, undefined), stepOf(upgradeOpset, { target: opset })]),
      ...(dims === undefined ? [] : [stepOf(fixDims, dims)]),
      ...(inputs === undefined ? [] : [stepOf(fixInputs, inputs)]),
    ];
    const started = await runSteps(model, first, context);
    return untilNothingChanges(started, options, context);
  },
};

/** One round; `growth` is what is left of the bytes that folding may add. */
function roundOf(exact: boolean, growth: number): readonly Step[] {
  const inexact = [
    stepOf(rulesPass("fuse", FUSIONS), undefined),
    stepOf(rulesPass("fold", FOLDINGS), undefined),
  ];
  return [
    stepOf(foldConstants, { growth, integersOnly: exact }),
    stepOf(rulesPass("tidy", EXACT_RULES), undefined),
    ...(exact ? [] : inexact),
    // Last, since weights that are shared are not changed.
    stepOf(shareEqual, undefined),
    stepOf(removeDeadCode, undefined),
  ];
}

interface Progress {
  readonly model: Model;
  readonly changes: readonly Change[];
  readonly refused: readonly Refusal[];
}

async function untilNothingChanges(
  { model, changes, refused }: Progress,
  { exact = false, growth = DEFAULT_GROWTH }: SimplifyOptions,
  context: PassContext,
): Promise<Progress> {
  const before = weightBytes(model).total;
  let current = model;
  const all = [...changes];
  let last: readonly Refusal[] = [];
  for (let count = 0; count < MOST_ROUNDS; count++) {
    const left = growth - Math.max(0, weightBytes(current).total - before);
    const result = await runSteps(current, roundOf(exact, Math.max(0, left)), context);
    current = result.model;
    all.push(...result.changes);
    // What the last round refuses is what stays as it is.
    last = result.refused;
    if (result.changes.length === 0) break;
  }
  return { model: current, changes: all, refused: [...refused, ...last] };
}

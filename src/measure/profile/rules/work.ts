// What a rule says of a node: its multiply-accumulates, and what it computes besides.

import { type Node, productOfSizes, type Shape, type Size } from "../../../onnx/index.ts";
import type { Site } from "../site.ts";

/** The work of one execution of a node. */
export interface Work {
  /** Multiply-accumulates of matrix products and convolutions. */
  readonly macs: Size;
  /** Operations on single elements that are no part of those: bias, activation, normalisation. */
  readonly other: Size;
}

/** Counts a node. Throws Uncountable when the count cannot be told. */
export type WorkRule = (site: Site) => Work;

export type WorkRules = Readonly<Record<string, WorkRule>>;

/** Data is moved, viewed or made; nothing is computed. */
export const FREE: Work = { macs: 0, other: 0 };

export const elements = (shape: Shape): Size => productOfSizes(shape);

/** The same rule under several names. */
export const named = (names: string, rule: WorkRule): WorkRules =>
  Object.fromEntries(names.split(" ").map((name) => [name, rule]));

export const isDomain = (node: Node, domain: string): boolean => {
  const own = node.domain ?? "";
  return own === domain || (domain === "" && own === "ai.onnx");
};

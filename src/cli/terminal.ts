// Colours and width of what is printed. The rules, strongest first: --color=always|never, NO_COLOR
// (no-color.org), FORCE_COLOR, TERM=dumb, and whether the output is a terminal.

import { styleText } from "node:util";
import type { Paint, Role } from "../report/terminal.ts";
import type { CliContext, Output } from "./context.ts";

export type ColorChoice = "auto" | "always" | "never";

const STYLE_OF = {
  strong: "bold",
  quiet: "gray",
  good: "green",
  warn: "yellow",
  bad: "red",
} as const satisfies Record<Role, Parameters<typeof styleText>[0]>;

/** Whether an output gets colours. */
export function wantsColor(
  output: Output,
  env: CliContext["env"],
  choice: ColorChoice = "auto",
): boolean {
  if (choice !== "auto") return choice === "always";
  if (env["NO_COLOR"]) return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return output.isTTY && env["TERM"] !== "dumb";
}

/** Paints for a terminal, or leaves the text alone. */
export function painter(color: boolean): Paint {
  if (!color) return (_, text) => text;
  // The decision is made; Node's own look at the environment must not overrule it.
  return (role, text) => styleText(STYLE_OF[role], text, { validateStream: false });
}

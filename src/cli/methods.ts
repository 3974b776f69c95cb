// `godwit methods`: what other tools count, with which constants, and what is known to be wrong with them.

import { Command } from "@commander-js/extra-typings";
import type { Method } from "../measure/methods/index.ts";
import { padded, wrap } from "../report/columns.ts";
import type { CliContext } from "./context.ts";
import { textTable } from "./text-table.ts";

/** The command `methods`. */
export const methodsCommand = (context: CliContext) =>
  new Command("methods")
    .description("List the methods of other tools, with their constants and known defects.")
    .argument("[name]", "show all of this one")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExamples:\n  $ godwit methods\n  $ godwit methods codecarbon")
    .action(async (name, { json }) => {
      const { findMethod, METHODS } = await import("../measure/methods/index.ts");
      const { stdout, stderr } = context;
      const chosen = name === undefined ? METHODS : [findMethod(name)];
      const [only] = chosen;
      if (json) stdout.write(methodsJson(chosen));
      else if (name === undefined || only === undefined) {
        stdout.write(list(chosen, stdout.columns));
        stderr.write("godwit methods NAME shows constants, source and known defects.\n");
      } else stdout.write(details(only, stdout.columns));
    });

function methodsJson(methods: readonly Method[]): string {
  const listed = methods.map(({ estimate: _, ...facts }) => facts);
  return `${JSON.stringify({ schema: "godwit.methods/1", methods: listed }, null, 2)}\n`;
}

function list(methods: readonly Method[], width: number): string {
  const lines = textTable(
    [
      { title: "METHOD" },
      { title: "TITLE", flexible: true },
      { title: "BOUNDARY" },
      { title: "DEFECTS", align: "right" },
    ],
    methods.map(({ name, title, scope, defects }) => [name, title, scope, String(defects.length)]),
    width,
  );
  return `${lines.join("\n")}\n`;
}

function details(method: Method, width: number): string {
  const constants = Object.entries(method.constants);
  const longest = Math.max(0, ...constants.map(([name]) => name.length));
  const hang = (text: string, indent: number): readonly string[] =>
    wrap(text, width - indent).map((line, at) => (at === 0 ? "  " : " ".repeat(indent)) + line);
  const lines = [
    `${method.title} ${method.version}`,
    `  boundary  ${method.scope}`,
    ...hang(`source    ${method.source}`, 12),
    ...(constants.length === 0 ? [] : ["constants"]),
    ...constants.flatMap(([name, { value, unit, source }]) =>
      hang(
        `${padded(name, longest)}  ${value}${unit === "1" ? "" : ` ${unit}`}, ${source}`,
        longest + 4,
      ),
    ),
    "known defects",
    ...method.defects.flatMap((defect) => hang(`- ${defect}`, 4)),
  ];
  return `${lines.join("\n")}\n`;
}

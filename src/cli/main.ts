#!/usr/bin/env node
// The program `godwit`.

import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { isatty } from "node:tty";

// Compiled modules are kept in the system's folder for temporary files: a third off the start. Only
// what is imported from here on profits, so the rest is.
enableCompileCache();
const { endLike, inheritedFiles } = await import("../measure/run/execute.ts");

// Before files of godwit's own are open.
const inherited = inheritedFiles();

const [{ createNodeHost }, { processOutput }, { runProgram }] = await Promise.all([
  import("../core/host/node-host.ts"),
  import("./context.ts"),
  import("./program.ts"),
]);

const packageFile = new URL("../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };

let signal: NodeJS.Signals | null = null;
const code = await runProgram(
  {
    stdout: processOutput(1),
    stderr: processOutput(2),
    stdin: { isTTY: isatty(0) },
    env: process.env,
    cwd: process.cwd(),
    host: createNodeHost(),
    version,
    inherited,
    setExitCode: (_, name) => {
      signal = name ?? null;
    },
  },
  process.argv.slice(2),
);
endLike({ code, signal });

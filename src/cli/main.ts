#!/usr/bin/env node
// The program `godwit`.

import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import { createNodeHost } from "../core/host/node-host.ts";
import { endLike, inheritedFiles } from "../measure/run/execute.ts";
import { processOutput } from "./context.ts";
import { runProgram } from "./program.ts";

// First of all, before files of godwit's own are open.
const inherited = inheritedFiles();

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

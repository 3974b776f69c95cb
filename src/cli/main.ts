#!/usr/bin/env node
// The program `godwit`.

import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { settle, startSmall } from "./small-heap.ts";

// Compiled modules are kept in the system's folder for temporary files: a third off the start. Only
// what is imported from here on profits, so the rest is. A run goes without: reading them back leaves
// 1 MB behind that it would hold beside what it measures.
const measures = process.argv[2] === "run";
if (measures) startSmall();
else enableCompileCache();
const { endLike, inheritedFiles } = await import("../measure/run/execute.ts");

// Before files of godwit's own are open.
const inherited = inheritedFiles();

const [{ createNodeHost }, { currentFolder, processOutput }, { EXIT }, { runProgram }] =
  await Promise.all([
    import("../core/host/node-host.ts"),
    import("./context.ts"),
    import("../core/errors.ts"),
    import("./program.ts"),
  ]);

const packageFile = new URL("../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };

let signal: NodeJS.Signals | null = null;
let codeIsGiven = false;
let lost: string | null = null;
const stderr = processOutput(2);
const code = await runProgram(
  {
    stdout: processOutput(1, (reason) => {
      lost = reason;
    }),
    stderr,
    stdin: { isTTY: isatty(0) },
    env: process.env,
    cwd: currentFolder(process.env),
    host: createNodeHost(),
    version,
    program: fileURLToPath(import.meta.url),
    inherited,
    settle: measures ? settle : () => () => {},
    setExitCode: (_, name) => {
      codeIsGiven = true;
      signal = name ?? null;
    },
  },
  process.argv.slice(2),
);
if (lost !== null) stderr.write(`error: standard output could not be written: ${lost}\n`);
// What a measured command answered stays its answer.
const failed = lost !== null && code === EXIT.done && !codeIsGiven;
endLike({ code: failed ? EXIT.failed : code, signal });

// `godwit doctor`: what this machine can be measured with, and what to do about the rest. It is a
// diagnosis, so it exits with 0 also when nothing is ready; `--json` says what is.

import { accessSync, constants, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { reasonOf, UserError } from "../core/index.ts";
import { checkServer, type PostgresServer } from "../ledger/index.ts";
import type { ProcessFacts } from "../report/doctor/index.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";
import { type ColorChoice, painter, wantsColor } from "./terminal.ts";

export const doctorCommand = (context: CliContext) =>
  new Command("doctor")
    .description("Show what this machine can be measured with, and what to do about the rest.")
    .option("--json", "the diagnosis as one JSON object, for a bug report")
    .addOption(
      new Option("--fix <what>", "print the commands that open a sensor").choices(["rapl"]),
    )
    .option("--apply", "with --fix: carry the commands out (as root)")
    .option(...LEDGER_OPTION)
    .addHelpText(
      "after",
      `
Exits with 0 whatever it finds; a fix that fails exits with 1.

Examples:
  $ godwit doctor
  $ sudo godwit doctor --fix rapl --apply`,
    )
    .action(async (options, command) => {
      if (options.fix !== undefined) return fixRapl(context, options.apply === true);
      if (options.apply === true) {
        throw new UserError("usage", "--apply needs to know what to fix", {
          hint: "sudo godwit doctor --fix rapl --apply",
        });
      }
      const [{ diagnose, renderDiagnosis }, { providers }, { model }] = await Promise.all([
        import("../report/doctor/index.ts"),
        import("../measure/sensors/index.ts"),
        import("../measure/estimate/index.ts"),
      ]);
      const facts = await processFacts(context, options.ledger);
      const diagnosis = await diagnose(context.host, [...providers, model], facts);
      const { color } = command.optsWithGlobals() as { readonly color?: ColorChoice };
      context.stdout.write(
        options.json === true
          ? `${JSON.stringify(diagnosis, null, 2)}\n`
          : renderDiagnosis(diagnosis, {
              width: context.stdout.columns,
              paint: painter(wantsColor(context.stdout, context.env, color)),
            }),
      );
    });

/** What only this process can tell: the ledger's folder, the way of counting CPU time, the paths. */
async function processFacts(context: CliContext, flag: string | undefined): Promise<ProcessFacts> {
  const { folder, chosenBy, server } = ledgerOf(context, flag);
  return {
    version: context.version,
    ledger: {
      folder,
      ...(server === undefined ? {} : { server: server.name }),
      chosenBy,
      fault: writeFault(folder) ?? (server === undefined ? null : await serverFault(server)),
    },
    cpuTime: await cpuTimeWay(context),
    paths: {
      ...(server === undefined ? { ledger: join(folder, "ledger.db") } : {}),
      samples: join(folder, "segments"),
      here: context.cwd,
      godwit: context.program,
      node: process.execPath,
    },
  };
}

/** Why nothing can be kept in a folder, or in the nearest one above it that exists; null if it can. */
function writeFault(folder: string): string | null {
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    accessSync(at, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return `${reasonOf(error)}; name another with --ledger or GODWIT_LEDGER`;
  }
}

/** Why a server cannot be used; null if it can. */
async function serverFault(server: PostgresServer): Promise<string | null> {
  try {
    await checkServer(server);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

async function cpuTimeWay({ host }: CliContext): Promise<ProcessFacts["cpuTime"]> {
  const [{ createCpuGroup }, { createSubjectCounter }] = await Promise.all([
    import("../measure/run/execute-cgroup.ts"),
    import("../measure/run/cpu-time.ts"),
  ]);
  const group = createCpuGroup();
  try {
    const counter = await createSubjectCounter({ host, group, helperSeconds: () => 0 });
    return { source: counter.source, fallbacks: counter.fallbacks };
  } finally {
    if (group.status === "ready") group.group.close();
  }
}

/** Prints the commands that let a group read RAPL, and carries them out when asked to and root. */
async function fixRapl(context: CliContext, apply: boolean): Promise<void> {
  const { applyFix, CONTAINER_FIX, raplFixScript, raplFixSteps, TEMPORARY_FIX } = await import(
    "../report/doctor/index.ts"
  );
  const { raplPowercap } = await import("../measure/sensors/rapl-powercap.ts");
  const probe = await raplPowercap.probe(context.host);
  if (probe.status === "absent") {
    context.stdout.write(
      `Nothing to fix: no RAPL is to be seen here (${probe.reason}).\n` +
        `In a container it may be hidden; start the container with one of\n${CONTAINER_FIX}\n`,
    );
    return;
  }
  const isRoot = process.getuid?.() === 0;
  const user = context.env["SUDO_USER"] ?? context.env["USER"] ?? null;
  const steps = raplFixSteps(user === "root" ? null : user);
  if (!apply) {
    const ready = probe.status === "ready" ? "RAPL can be read already by this user.\n\n" : "";
    context.stdout.write(
      `${ready}Linux keeps RAPL for root: what it shows leaks what other code computes (CVE-2020-8694).\n\n` +
        `# Until the next boot, for everybody:\n${TEMPORARY_FIX}\n\n` +
        `# For good, for one group; as root (or: sudo godwit doctor --fix rapl --apply):\n${raplFixScript(steps)}\n\n` +
        `# In a container, after the fix on its host:\n${CONTAINER_FIX}\n`,
    );
    return;
  }
  if (!isRoot) {
    throw new UserError("denied", "only root may change who reads RAPL", {
      hint: "sudo godwit doctor --fix rapl --apply",
    });
  }
  const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
  await applyFix(steps, {
    host: context.host,
    writeFile: writeFileAtomic,
    onStep: (step) =>
      context.stderr.write(
        `${step.kind === "command" ? step.command.join(" ") : `write ${step.path}`}\n`,
      ),
  });
  context.stdout.write("Done. Log out and in again, then: godwit doctor\n");
}

// `godwit agent`: holds the queue of this machine and runs what is due. It may be stopped, killed and
// started again at any moment: jobs run on without it, and it takes them up where they are.

import { Command } from "@commander-js/extra-typings";
import { EXIT, reasonOf, UserError } from "../core/index.ts";
import { printable } from "../report/columns.ts";
import { openJobStore } from "../systems/schedule/jobs/index.ts";
import { holdQueue } from "./agent-holder.ts";
import { agentOn, capacityOf } from "./agent-ports.ts";
import { runAgent } from "./agent-wait.ts";
import type { CliContext } from "./context.ts";
import { parseBytes, parseCpus } from "./job-options.ts";
import { superviseJob } from "./job-supervisor.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";
import { parseCount, parseDuration } from "./values.ts";

/** The command `agent`. */
export function agentCommand(context: CliContext) {
  return agentOptions()
    .action(async (options) => {
      const { folder } = ledgerOf(context, options.ledger);
      const capacity = capacityOf(context, options);
      const store = await openJobStore(folder);
      const held = await holdQueue(context, store);
      if ("holder" in held) {
        store.close();
        throw new UserError(
          "ledger",
          `an agent holds this queue already: process ${held.holder.pid}`,
          {
            hint: "It does the work. To use other limits, end it first: jobs run on.",
          },
        );
      }
      const say = (text: string): void => {
        if (options.quiet !== true) context.stderr.write(`${stamp(context)} ${printable(text)}\n`);
      };
      const refreshS = options.refresh;
      const { ledger } = options;
      const agent = agentOn(context, { store, ledger, capacity, refreshS, onEvent: say });
      try {
        if (options.once === true) {
          await agent.refresh();
          const { open } = await agent.tick();
          say(`${open} ${open === 1 ? "job" : "jobs"} in the queue`);
          return;
        }
        const abort = new AbortController();
        for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
          process.once(name, () => abort.abort());
        say(`holds the queue ${store.path}`);
        await runAgent(context, {
          ...{ agent, store, refreshS, signal: abort.signal },
          isOver: () => false,
          onFault: (error) => say(`will try again: ${reasonOf(error)}`),
        });
        say("leaves the queue; jobs run on");
      } finally {
        await held.leave().catch(() => {});
        store.close();
      }
    })
    .addCommand(superviseCommand(context), { hidden: true });
}

const stamp = ({ host }: CliContext): string => new Date(host.wall()).toISOString().slice(0, 19);

const agentOptions = () =>
  new Command("agent")
    .enablePositionalOptions()
    .description("Hold the queue of this machine, and run what was submitted when it is due.")
    .option("--once", "look once, do what is due, and leave; for cron")
    .option(
      "--concurrency <count>",
      "jobs at once",
      (text) => parseCount("--concurrency", text, 1),
      1,
    )
    .option("--cpus <count>", "processors to give away (default: all)", (text) =>
      parseCpus("--cpus", text),
    )
    .option("--memory <size>", "memory to give away (default: all)", (text) =>
      parseBytes("--memory", text),
    )
    .option("--gpus <count>", "GPUs to give away", (text) => parseCount("--gpus", text, 0), 0)
    .option(
      "--refresh <time>",
      "ask for newer forecasts so often",
      (text): number => parseDuration("--refresh", text),
      300,
    )
    .option("-q, --quiet", "say nothing of what is done")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP);

const HELP = `
Jobs have supervisors of their own: they run on when the agent ends or is killed, and it
takes them up again when it is started (under systemd: with KillMode=process). One agent
holds a queue.

Examples:
  $ godwit agent
  $ godwit agent --concurrency 4 --gpus 2
  $ systemd-run --user -u godwit-agent -p KillMode=process godwit agent --ledger ~/project/.godwit
  * * * * * cd ~/project && godwit agent --once --quiet      (a line for crontab -e)`;

/** What the agent starts for each attempt of a job; nobody types it. */
function superviseCommand(context: CliContext) {
  return new Command("supervise")
    .argument("<job>")
    .argument("<attempt>")
    .requiredOption("--folder <folder>")
    .action(async (id, attempt, { folder }) => {
      context.setExitCode(EXIT.done);
      const number = parseCount("the attempt", attempt, 1);
      await superviseJob(context, { id, attempt: number, folder });
    });
}

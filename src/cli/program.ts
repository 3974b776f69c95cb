// The command line: which commands there are and how one is found. A command's module is loaded when
// it is called, so that `godwit --help` costs nothing but Node.

import { Command, CommanderError, Option } from "commander";
import { EXIT, UserError } from "../core/errors.ts";
import { suggest } from "../core/suggest.ts";
import type { CliContext } from "./context.ts";
import { reportError } from "./errors.ts";
import { TOPICS } from "./help-topics.ts";
import { SLIM_EXIT } from "./slim-exit.ts";
import type { ColorChoice } from "./terminal.ts";

interface Entry {
  readonly name: string;
  readonly description: string;
  /** Loads the command's module and builds the command. */
  readonly load: (context: CliContext) => Promise<unknown>;
  /** Exit code for wrong usage, where the usual one means something else. */
  readonly usage?: number;
}

const COMMANDS: readonly Entry[] = [
  {
    name: "run",
    description: "Run a command and report what it cost.",
    load: async (context) => (await import("./run.ts")).runCommand(context),
  },
  {
    name: "runs",
    description: "List the runs in the ledger, newest first.",
    load: async (context) => (await import("./runs.ts")).runsCommand(context),
  },
  {
    name: "show",
    description: "Show the card of a run.",
    load: async (context) => (await import("./show.ts")).showCommand(context),
  },
  {
    name: "report",
    description: "Show one run as text, or as an HTML page, Markdown, CSV or JSON.",
    load: async (context) => (await import("./report.ts")).reportCommand(context),
  },
  {
    name: "compare",
    description: "Compare two runs, or two sets of repeats: better, worse or within noise.",
    load: async (context) => (await import("./compare.ts")).compareCommand(context),
  },
  {
    name: "explain",
    description: "Explain how a run's numbers were computed, step by step, with sources.",
    load: async (context) => (await import("./explain.ts")).explainCommand(context),
  },
  {
    name: "estimate",
    description: "Estimate what work costs before it runs, and what other tools would say.",
    load: async (context) => (await import("./estimate.ts")).estimateCommand(context),
  },
  {
    name: "profile",
    description: "Show where a model's parameters, operations, bytes, time and energy go.",
    load: async (context) => (await import("./profile.ts")).profileCommand(context),
  },
  {
    name: "nets",
    description: "List the networks that can be built, or write one as an ONNX file.",
    load: async (context) => (await import("./nets.ts")).netsCommand(context),
  },
  {
    name: "data",
    description: "List, get and look at datasets.",
    load: async (context) => (await import("./data.ts")).dataCommand(context),
  },
  {
    name: "train",
    description: "Train a network, or tune a model that you have, and say what it cost.",
    load: async (context) => (await import("./train.ts")).trainCommand(context),
  },
  {
    name: "eval",
    description: "Judge a model on data: its quality with an interval, time, energy, carbon.",
    load: async (context) => (await import("./eval.ts")).evalCommand(context),
  },
  {
    name: "tune",
    description: "Search hyper-parameters of a command, counting what the search costs.",
    load: async (context) => (await import("./tune.ts")).tuneCommand(context),
  },
  {
    name: "slim",
    description: "Make a model smaller and less hungry, with its accuracy verified.",
    load: async (context) => (await import("./slim.ts")).slimCommand(context),
    usage: SLIM_EXIT.usage,
  },
  {
    name: "methods",
    description: "List the methods of other tools, with their constants and known defects.",
    load: async (context) => (await import("./methods.ts")).methodsCommand(context),
  },
  {
    name: "export",
    description: "Write runs to a file for other programs, or send them.",
    load: async (context) => (await import("./export.ts")).exportCommand(context),
  },
  {
    name: "metrics",
    description: "Serve the ledger's runs to Prometheus at /metrics, until it is ended.",
    load: async (context) => (await import("./metrics.ts")).metricsCommand(context),
  },
  {
    name: "card",
    description: "Write a run's emissions, in grams, into a Hugging Face model card.",
    load: async (context) => (await import("./card.ts")).cardCommand(context),
  },
  {
    name: "badge",
    description: "Draw a badge of a run's energy or emissions.",
    load: async (context) => (await import("./badge.ts")).badgeCommand(context),
  },
  {
    name: "budget",
    description: "Check runs against the project's budget, or write a first budget.",
    load: async (context) => (await import("./budget.ts")).budgetCommand(context),
  },
  {
    name: "merge",
    description: "Add up runs of many hosts or ranks, counting no machine twice.",
    load: async (context) => (await import("./merge.ts")).mergeCommand(context),
  },
  {
    name: "import",
    description: "Take in runs that other tools recorded: Slurm, MLPerf Power, CodeCarbon.",
    load: async (context) => (await import("./import.ts")).importCommand(context),
  },
  {
    name: "rm",
    description: "Remove runs from the ledger, with their samples.",
    load: async (context) => (await import("./rm.ts")).rmCommand(context),
  },
  {
    name: "zones",
    description: "List the places whose carbon intensity is known, for --location.",
    load: async (context) => (await import("./zones.ts")).zonesCommand(context),
  },
  {
    name: "intensity",
    description: "Show a grid's carbon intensity now, as it was, or as it is expected.",
    load: async (context) => (await import("./intensity.ts")).intensityCommand(context),
  },
  {
    name: "plan",
    description: "Tell when to start a job so that it emits least and is not late.",
    load: async (context) => (await import("./plan.ts")).planCommand(context),
  },
  {
    name: "submit",
    description: "Hand in a job to be run when it emits least, before its deadline.",
    load: async (context) => (await import("./submit.ts")).submitCommand(context),
  },
  {
    name: "jobs",
    description: "List the jobs in the queue, or show one with its plan and history.",
    load: async (context) => (await import("./jobs.ts")).jobsCommand(context),
  },
  {
    name: "cancel",
    description: "Cancel jobs: what waits is not started, what runs is ended.",
    load: async (context) => (await import("./cancel.ts")).cancelCommand(context),
  },
  {
    name: "hold",
    description: "Keep jobs that wait from beginning, until they are released.",
    load: async (context) => (await import("./hold.ts")).holdCommand(context),
  },
  {
    name: "release",
    description: "Let jobs that were held begin again, when their plan says.",
    load: async (context) => (await import("./hold.ts")).releaseCommand(context),
  },
  {
    name: "agent",
    description: "Hold the queue of this machine, and run what was submitted when it is due.",
    load: async (context) => (await import("./agent.ts")).agentCommand(context),
  },
  {
    name: "savings",
    description: "Add up what jobs saved by when they ran, losses included.",
    load: async (context) => (await import("./savings.ts")).savingsCommand(context),
  },
  {
    name: "tune-training",
    description: "Find the batch size and power limit at which a recurring training costs least.",
    load: async (context) => (await import("./tune-training.ts")).tuneTrainingCommand(context),
  },
  {
    name: "calibrate",
    description: "Find what this machine draws at the plug, against a meter, for later runs.",
    load: async (context) => (await import("./calibrate.ts")).calibrateCommand(context),
  },
  {
    name: "doctor",
    description: "Show what this machine can be measured with, and what to do about the rest.",
    load: async (context) => (await import("./doctor.ts")).doctorCommand(context),
  },
  {
    name: "slurm",
    description: "Make a Slurm cluster carbon-aware: the submission hook, and nodes that sleep.",
    load: async (context) => (await import("./slurm.ts")).slurmCommand(context),
  },
  {
    name: "replay",
    description: "Replay a published scheduling study and compare with its printed figures.",
    load: async (context) => (await import("./replay.ts")).replayCommand(context),
  },
];

/** Options that every command takes, wherever they stand before the command's own arguments. */
interface GlobalOptions {
  readonly color: ColorChoice;
  readonly debug: boolean;
}

/** Runs one command line (without node and script) and returns the exit code. */
export async function runProgram(context: CliContext, args: readonly string[]): Promise<number> {
  const early = readGlobals(args);
  if (args.length === 0) return runProgram(context, ["help"]);
  let code: number = EXIT.done;
  const own: CliContext = {
    ...context,
    setExitCode: (value, signal) => {
      code = value;
      context.setExitCode(value, signal);
    },
  };
  try {
    const program = await buildProgram(own, args);
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    const { usage = EXIT.usage } = calledIn(args) ?? {};
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : usage;
    const told = reportError(context, error, early);
    return told === EXIT.usage ? usage : told;
  }
}

/** The command that a line calls. */
const calledIn = (args: readonly string[]): Entry | undefined => {
  const called = args.find((arg) => COMMANDS.some(({ name }) => name === arg));
  return COMMANDS.find(({ name }) => name === called);
};

/** The two global options, read before anything can fail; a measured command's are not looked at. */
function readGlobals(args: readonly string[]): GlobalOptions {
  const end = args.indexOf("--");
  const before = end === -1 ? args : args.slice(0, end);
  const color = /(?:^| )--color[= ](always|never)(?: |$)/.exec(before.join(" "))?.[1];
  return { color: (color as ColorChoice) ?? "auto", debug: before.includes("--debug") };
}

async function buildProgram(context: CliContext, args: readonly string[]): Promise<Command> {
  const program = new Command("godwit")
    .description("Measure what AI work costs, make it cost less, and prove the saving.")
    .version(context.version, "-V, --version", "print the version")
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText(
      "after",
      `
Examples:
  $ godwit run -- python train.py
  $ godwit run -n 10 --warmup 1 -- ./infer --batch 8

Topics: godwit help ${Object.keys(TOPICS).join(" | ")}`,
    );
  const called = calledIn(args);
  for (const { name, description, load } of COMMANDS) {
    const command =
      name === called?.name ? await load(context) : new Command(name).description(description);
    // Commands infer the types of their own options; here they are only commands.
    program.addCommand(command as Command);
  }
  program.addCommand(helpCommand(context, program));
  for (const command of withParts(program)) {
    command
      .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]))
      .option("--debug", "show where an error came from")
      .exitOverride()
      .configureHelp({ minWidthToWrap: NARROWEST_HELP })
      .configureOutput({
        writeOut: (text) => void context.stdout.write(text),
        writeErr: (text) => void context.stderr.write(text),
        outputError: (text, write) => write(withRemedy(text, command)),
        getOutHelpWidth: () => context.stdout.columns,
        getErrHelpWidth: () => context.stderr.columns,
      });
  }
  return program;
}

/** Columns beside the options in which descriptions still wrap, rather than run over the edge. */
const NARROWEST_HELP = 24;

/** A command and all below it. */
const withParts = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap((part) => withParts(part as Command)),
];

/** A usage error as our own errors are told: what is wrong, then what to do about it. */
function withRemedy(text: string, command: Command): string {
  const guess = /\n\((Did you mean [^\n]+)\)\n$/.exec(text);
  if (guess !== null) return `${text.slice(0, guess.index)}\n  fix  ${guess[1]}\n`;
  return `${text}  fix  ${fullName(command)} --help shows how it is used.\n`;
}

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;

function helpCommand(context: CliContext, program: Command): Command {
  return new Command("help")
    .description(`Explain a command, or a topic: ${Object.keys(TOPICS).join(", ")}.`)
    .argument("[topic]", "command or topic")
    .action(async (topic) => {
      if (topic === undefined) {
        context.stdout.write(program.helpInformation());
        return;
      }
      const text = TOPICS[topic];
      const entry = COMMANDS.find(({ name }) => name === topic);
      if (text !== undefined) context.stdout.write(text);
      else if (entry !== undefined) {
        const command = (await entry.load(context)) as Command;
        context.stdout.write(command.helpInformation());
      } else throw unknownTopic(topic);
    });
}

function unknownTopic(topic: string): UserError {
  const names = [...COMMANDS.map(({ name }) => name), ...Object.keys(TOPICS)];
  const near = suggest(topic, names);
  return new UserError("usage", `there is no help on ${topic}`, {
    hint: near === null ? `There is help on ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

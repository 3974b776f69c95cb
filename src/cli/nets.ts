// `godwit nets`: the networks that can be built by name, what they cost, and their models as files.

import { Command } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import { withPrefix } from "../core/index.ts";
import type { Net, NetCount, NetOptions } from "../models/nets/index.ts";
import type { CliContext } from "./context.ts";
import { NET_OPTIONS } from "./net-options.ts";
import { textTable } from "./text-table.ts";

const EXAMPLES = `
Counts are for one image. Weights are drawn from the seed; none is trained.

Examples:
  $ godwit nets
  $ godwit nets mobilenet-v1 --alpha 0.25 --rho 0.571
  $ godwit nets vgg-small --size 64 --classes 10 --seed 3 -o vgg.onnx`;

/** The command `nets`. */
export const netsCommand = (context: CliContext) =>
  new Command("nets")
    .description("List the networks that can be built, or write one as an ONNX file.")
    .argument("[name]", "one network; all when left out")
    .addOption(NET_OPTIONS.alpha)
    .addOption(NET_OPTIONS.rho)
    .addOption(NET_OPTIONS.size)
    .addOption(NET_OPTIONS.channels)
    .addOption(NET_OPTIONS.classes)
    .addOption(NET_OPTIONS.initialiser)
    .addOption(NET_OPTIONS.seed)
    .option("-o, --output <file>", "write the network's model")
    .option("--json", "print as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (name, { output, json, ...chosen }) => {
      const { loadOperators } = await import("../onnx/index.ts");
      const { countNet, netNamed, nets } = await import("../models/nets/index.ts");
      const options = { operators: await loadOperators(context.host), ...chosen };
      if (name === undefined) {
        refuseAll({ ...chosen, output });
        const rows = nets.map((net) => ({ net, count: countNet(net.build(options)) }));
        show(context, rows, json);
        return;
      }
      const net = netNamed(name);
      const model = net.build(options);
      const count = countNet(model);
      if (output !== undefined) await write(context, output, model);
      if (json === true) show(context, [{ net, count, options }], json);
      else context.stdout.write(details(net, count, options));
    });

/** One network with what it costs, and what was chosen of it. */
interface Row {
  readonly net: Net;
  readonly count: NetCount;
  readonly options?: NetOptions;
}

/** What is said of one network means nothing of all of them. */
function refuseAll(chosen: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(chosen).find((option) => chosen[option] !== undefined);
  if (given === undefined) return;
  throw new UserError("usage", `--${given} without the name of a network`, {
    hint: `Name one: godwit nets mobilenet-v1 --${given} ...`,
  });
}

async function write(
  { stderr }: CliContext,
  path: string,
  model: ReturnType<Net["build"]>,
): Promise<void> {
  const { encodeModelChunks } = await import("../onnx/index.ts");
  const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
  await writeFileAtomic(path, piecesOf(encodeModelChunks(model)));
  stderr.write(`wrote ${path}\n`);
}

/** Weights are drawn one tensor at a time, as they are written. */
function* piecesOf(chunks: ReturnType<typeof import("../onnx/index.ts").encodeModelChunks>) {
  for (const chunk of chunks) yield chunk instanceof Uint8Array ? chunk : chunk.bytes();
}

/** `3 x 224 x 224` */
function imageOf({ input }: Net, options: Partial<NetOptions> = {}): readonly number[] {
  const { channels = input.channels, size = input.size, rho = 1 } = options;
  const side = Math.round(rho * size);
  return [channels, side, side];
}

function show({ stdout }: CliContext, rows: readonly Row[], json: true | undefined): void {
  if (json === true) {
    const nets = rows.map(({ net, count, options }) => ({
      name: net.name,
      description: net.description,
      source: net.source,
      input: imageOf(net, options),
      classes: options?.classes ?? net.classes,
      parameters: count.parameters,
      macs: count.macs,
      bytes: count.bytes,
      options: net.options,
    }));
    stdout.write(`${JSON.stringify({ schema: "godwit.nets/1", nets }, null, 2)}\n`);
    return;
  }
  const lines = textTable(
    [
      { title: "NET" },
      { title: "PARAMETERS", align: "right" },
      { title: "MACS", align: "right" },
      { title: "INPUT" },
      { title: "DESCRIPTION", flexible: true },
    ],
    rows.map(({ net, count }) => [
      net.name,
      short(count.parameters),
      short(count.macs),
      imageOf(net).join("x"),
      net.description,
    ]),
    stdout.columns,
  );
  stdout.write(`${lines.join("\n")}\n`);
}

const short = (count: number): string => withPrefix(count, "").trimEnd();
const whole = (count: number): string => count.toLocaleString("en-US");

function details(net: Net, count: NetCount, options: NetOptions): string {
  const image = imageOf(net, options).join(" x ");
  const rows = [
    ["source", net.source],
    ["input", `image [batch, ${image.replaceAll(" x ", ", ")}]`],
    ["output", `scores [batch, ${options.classes ?? net.classes}], before any softmax`],
    ["parameters", whole(count.parameters)],
    ["MACs", `${whole(count.macs)} an image`],
    ["size", withPrefix(count.bytes, "B")],
    ["options", net.options.map((option) => `--${option}`).join(" ")],
  ];
  const lines = rows.map(([title = "", text]) => `  ${title.padEnd(11)} ${text}`);
  return `${net.name}: ${net.description}\n${lines.join("\n")}\n`;
}

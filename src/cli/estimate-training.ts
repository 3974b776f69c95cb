// `godwit estimate training`: energy, time and emissions of training a network, before it starts.

import { Command } from "@commander-js/extra-typings";
import { formatFigure, toKilowattHours, UserError, withPrefix } from "../core/index.ts";
import type { TrainingWork } from "../measure/estimate/training.ts";
import type { CliContext } from "./context.ts";
import { parseLarge, parseShare, parseWatts } from "./estimate-values.ts";
import { signalOf } from "./run-options.ts";
import { declared } from "./settings.ts";
import { parseCount, parseIntensity, parseNumber } from "./values.ts";

/** The command `estimate training`. */
export const estimateTrainingCommand = (context: CliContext) =>
  new Command("training")
    .description("Estimate a training from parameters and tokens, FLOPs, or FLOPs of a sample.")
    .option("--params <count>", "parameters used for a token, such as 7B", (text) =>
      parseLarge("--params", text),
    )
    .option("--tokens <count>", "tokens, such as 1T", (text) => parseLarge("--tokens", text))
    .option("--flops <count>", "FLOPs of all of it, such as 3.14e23", (text) =>
      parseLarge("--flops", text),
    )
    .option("--sample-flops <count>", "FLOPs of one sample forwards, twice its MACs", (text) =>
      parseLarge("--sample-flops", text),
    )
    .option("--samples <count>", "samples of an epoch", (text) => parseLarge("--samples", text))
    .option("--epochs <count>", "epochs", (text) => parseCount("--epochs", text, 1), 1)
    .requiredOption("--on <accelerator>", 'such as "A100 SXM4 80GB"')
    .option("--count <count>", "accelerators", (text) => parseCount("--count", text, 1), 1)
    .option("--peak <flops>", "peak of one that is not listed, such as 312T", (text) =>
      parseLarge("--peak", text),
    )
    .option("--watts <watts>", "mean power of one, where it is known", (text) =>
      parseWatts("--watts", text),
    )
    .option("--mfu <share>", "model FLOPs utilisation (default: 0.2 to 0.55)", (text) =>
      parseShare("--mfu", text),
    )
    .option("--location <country>", "whose carbon intensity applies, such as DE")
    .option("--intensity <gCO2e/kWh>", "carbon intensity, such as 380", (text) =>
      parseIntensity("--intensity", text),
    )
    .option("--pue <factor>", "power usage effectiveness of the data centre", (text) =>
      parseNumber("--pue", text),
    )
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ godwit estimate training --params 7B --tokens 1T --on H200 --count 64\n  $ godwit estimate training --sample-flops 8.2G --samples 1.28M --epochs 90 --on V100",
    )
    .action(async (options) => {
      const { locate, pueOf } = await import("../measure/carbon/index.ts");
      const { findAccelerator, loadAccelerators } = await import(
        "../measure/estimate/accelerators.ts"
      );
      const { estimateTraining } = await import("../measure/estimate/training.ts");
      const { host, stdout } = context;
      const signal = await locate(host, signalOf(options, context));
      const given = declared(context, "pue", options.pue, parseNumber);
      const { peak, watts } = options;
      const device =
        peak === undefined || watts === undefined
          ? findAccelerator(await loadAccelerators(host), options.on)
          : { name: options.on, peakFlops: peak, watts, source: "as given" };
      const estimate = estimateTraining({
        work: workOf(options),
        device,
        count: options.count,
        ...(options.mfu === undefined ? {} : { mfu: options.mfu }),
        ...(watts === undefined ? {} : { meanWatts: watts }),
        pue: pueOf({ ...(given === undefined ? {} : { declared: given }), personal: false }),
        intensity: signal.intensity,
      });
      if (options.json) {
        const answer = { schema: "godwit.training-estimate/1", device, signal, ...estimate };
        stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
        return;
      }
      const { flops, duration, accelerators, energy, emissions } = estimate;
      const kilowattHours = withPrefix(toKilowattHours(energy.value) * 1000, "Wh");
      stdout.write(
        [
          `training on ${options.count} x ${device.name}`,
          `  operations    ${flops.value.toExponential(2)} FLOP`,
          `  time          ${formatFigure(duration)}`,
          `  accelerators  ${formatFigure(accelerators)}`,
          `  energy        ${formatFigure(energy)}`,
          `                ${kilowattHours}, with servers and PUE, ${energy.method}`,
          ...(emissions === null ? [] : [`  emissions     ${formatFigure(emissions)}`]),
          `  place         ${signal.rung}`,
          "",
        ].join("\n"),
      );
    });

interface Work {
  readonly params?: number | undefined;
  readonly tokens?: number | undefined;
  readonly flops?: number | undefined;
  readonly sampleFlops?: number | undefined;
  readonly samples?: number | undefined;
  readonly epochs: number;
}

/** The one of three ways in which the work was described. */
function workOf({ params, tokens, flops, sampleFlops, samples, epochs }: Work): TrainingWork {
  const ways: readonly (TrainingWork | null)[] = [
    flops === undefined ? null : { kind: "flops", flops },
    params === undefined || tokens === undefined
      ? null
      : { kind: "tokens", parameters: params, tokens },
    sampleFlops === undefined || samples === undefined
      ? null
      : { kind: "samples", forwardFlops: sampleFlops, samples, epochs },
  ];
  const given = ways.filter((way) => way !== null);
  const [work] = given;
  if (work !== undefined && given.length === 1) return work;
  throw new UserError(
    "usage",
    work === undefined ? "how much is to be computed is not given" : "the work is given twice",
    { hint: "Give --params and --tokens, or --flops, or --sample-flops and --samples." },
  );
}

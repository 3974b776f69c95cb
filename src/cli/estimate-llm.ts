// `godwit estimate llm`: energy and emissions of a request to a language model.

import { Command } from "@commander-js/extra-typings";
import { formatFigure } from "../core/index.ts";
import { wrap } from "../report/columns.ts";
import type { CliContext } from "./context.ts";
import { parseLarge } from "./estimate-values.ts";
import { signalOf } from "./run-options.ts";
import { declared } from "./settings.ts";
import { parseCount, parseIntensity, parseNumber } from "./values.ts";

/** The command `estimate llm`. */
export const estimateLlmCommand = (context: CliContext) =>
  new Command("llm")
    .description("Estimate a request to a language model, per token and in all.")
    .requiredOption("--params <count>", "parameters, such as 70B", (text) =>
      parseLarge("--params", text),
    )
    .option("--active <count>", "those used for a token, of a mixture of experts", (text) =>
      parseLarge("--active", text),
    )
    .option("--input <tokens>", "tokens of the prompt", (text) => parseCount("--input", text, 0), 0)
    .option(
      "--output <tokens>",
      "tokens of the answer",
      (text) => parseCount("--output", text, 1),
      300,
    )
    .option("--batch <count>", "requests answered at once (default: 8 to 256)", (text) =>
      parseCount("--batch", text, 1),
    )
    .option("--bits <count>", "bits of a weight", (text) => parseCount("--bits", text, 1), 16)
    .option("--on <gpu>", "GPU that measurements are known for: H100 or B200", "H100 80GB HBM3")
    .option(
      "--count <count>",
      "GPUs that hold the model",
      (text) => parseCount("--count", text, 1),
      1,
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
      "\nExamples:\n  $ godwit estimate llm --params 70B --count 4 --input 2000 --output 500 --location US\n  $ godwit estimate llm --params 235B --active 22B --count 8 --bits 8 --batch 64",
    )
    .action(async (options) => {
      const { locate, pueOf } = await import("../measure/carbon/index.ts");
      const { findAccelerator, loadAccelerators } = await import(
        "../measure/estimate/accelerators.ts"
      );
      const { estimateInference, findTokenLaw, loadInferenceModel } = await import(
        "../measure/estimate/llm-inference.ts"
      );
      const { host, stdout } = context;
      const signal = await locate(host, signalOf(options, context));
      const given = declared(context, "pue", options.pue, parseNumber);
      const law = findTokenLaw(await loadInferenceModel(host), options.on);
      const name = /^h100$/i.test(options.on) ? "H100 80GB HBM3" : options.on;
      const device = findAccelerator(await loadAccelerators(host), name);
      const estimate = estimateInference({
        activeParameters: options.active ?? options.params,
        totalParameters: options.params,
        bytesPerWeight: options.bits / 8,
        batch: options.batch ?? null,
        gpus: options.count,
        inputTokens: options.input,
        outputTokens: options.output,
        device,
        law,
        pue: pueOf({ ...(given === undefined ? {} : { declared: given }), personal: false }),
        intensity: signal.intensity,
      });
      if (options.json) {
        const answer = { schema: "godwit.llm-estimate/1", device, signal, ...estimate };
        stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
        return;
      }
      const { perToken, prefill, decode, perRequest, emissions, notes } = estimate;
      const lines = [
        `a request of ${options.input} + ${options.output} tokens on ${options.count} x ${device.name}`,
        `  a token    ${formatFigure(perToken)}, GPUs alone`,
        `  prompt     ${formatFigure(prefill)}, GPUs alone`,
        `  answer     ${formatFigure(decode)}, GPUs alone`,
        `  request    ${formatFigure(perRequest)}, with servers and PUE, ${perRequest.method}`,
        ...(emissions === null ? [] : [`  emissions  ${formatFigure(emissions)}, ${signal.rung}`]),
        ...notes.flatMap((note) =>
          wrap(`note: ${note}`, stdout.columns - 2).map((line) => `  ${line}`),
        ),
      ];
      stdout.write(`${lines.join("\n")}\n`);
    });

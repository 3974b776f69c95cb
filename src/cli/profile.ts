// `godwit profile`: where a model's parameters, operations, bytes, time and energy go.

import { EXIT } from "../core/errors.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { ModelCount } from "../measure/profile/index.ts";
import type { CliContext } from "./context.ts";
import type { Findings } from "./profile-findings.ts";
import { type ProfileOptions, profileOptions } from "./profile-options.ts";

/** The command `profile`. */
export const profileCommand = (context: CliContext) =>
  profileOptions().action(async (path, options) => {
    if (await showedWeights(context, path, options)) return;
    const { openModelFile } = await import("../engine/open-model.ts");
    const opened = openModelFile(path);
    try {
      if (options.sweep !== undefined) await showSweep(context, opened, options);
      else if (options.diff !== undefined) await showDiff(context, opened, options);
      else await profile(context, opened, options);
    } finally {
      opened.close();
    }
  });

/** Files of weights have a header and no graph. */
async function showedWeights(
  context: CliContext,
  path: string,
  options: ProfileOptions,
): Promise<boolean> {
  const { openFileSource } = await import("../core/host/file-source.ts");
  const { readWeightFile } = await import("../measure/profile/weight-file.ts");
  const source = openFileSource(path);
  try {
    const file = readWeightFile(source);
    if (file === null) return false;
    const { showWeights } = await import("./profile-weights.ts");
    showWeights(context, path, { ...options, file });
    return true;
  } finally {
    source.close();
  }
}

async function profile(
  context: CliContext,
  opened: OpenModel,
  options: ProfileOptions,
): Promise<void> {
  const { findingsOf } = await import("./profile-findings.ts");
  const findings = await findingsOf(context, opened, options);
  await print(context, opened.path, { findings, options });
  if (options.html !== undefined) {
    const { profileHtml } = await import("../report/profile/html.ts");
    const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
    const { count, rows, device, run } = findings;
    const file = opened.path;
    await writeFileAtomic(options.html, profileHtml(count, { file, rows, device, run }));
    context.stderr.write(`wrote ${options.html}\n`);
  }
  if (options.keep !== undefined) {
    const { keepModel } = await import("./profile-keep.ts");
    const name = typeof options.keep === "string" ? options.keep : null;
    await keepModel(context, findings, { path: opened.path, name, ledger: options.ledger });
  }
  if (options.strict === true) refuseUncounted(context, findings.count);
}

async function print(
  { stdout }: CliContext,
  path: string,
  { findings, options }: { readonly findings: Findings; readonly options: ProfileOptions },
): Promise<void> {
  const { count, rows, training, backward, sparsity, device, run } = findings;
  if (options.csv === true) {
    const { profileCsv } = await import("../report/profile/data.ts");
    stdout.write(profileCsv(rows.rows));
    return;
  }
  if (options.json === true) {
    const { profileObject } = await import("../report/profile/data.ts");
    const { runObject } = await import("./profile-findings.ts");
    const parts = {
      ...(device === null ? {} : { device }),
      ...(sparsity === null ? {} : { sparsity }),
      ...(run === null ? {} : { run: runObject(run) }),
    };
    const object = profileObject(count, rows.rows, { file: path, training, backward, parts });
    stdout.write(`${JSON.stringify(object, null, 2)}\n`);
    return;
  }
  const text = await import("./profile-text.ts");
  const width = stdout.columns;
  stdout.write(text.summaryText(count, path, width));
  if (sparsity !== null) stdout.write(text.sparsityText(sparsity, width));
  if (training !== null) stdout.write(text.trainingText(training, backward, width));
  if (device !== null) stdout.write(text.deviceText(device, width));
  stdout.write(`\n${text.rowsText(rows, options.by, width)}`);
  if (run !== null) {
    const { runText } = await import("./profile-run-text.ts");
    stdout.write(`\n${runText(run, count, { top: options.top, width })}`);
  }
}

async function showSweep(
  context: CliContext,
  opened: OpenModel,
  options: ProfileOptions,
): Promise<void> {
  const { runChoiceOf } = await import("./profile-findings.ts");
  const { parseSweep, sweepModel } = await import("./profile-run.ts");
  const { sweepText } = await import("./profile-run-text.ts");
  const over = parseSweep(options.sweep ?? "");
  const choice = runChoiceOf(opened.model, options);
  const result = await sweepModel(context, opened, { ...choice, over, batch: options.batch });
  const { stdout } = context;
  if (options.json === true) {
    stdout.write(`${JSON.stringify({ schema: "godwit.sweep/1", ...result }, null, 2)}\n`);
  } else stdout.write(sweepText(result, stdout.columns));
}

async function showDiff(
  { stdout }: CliContext,
  opened: OpenModel,
  options: ProfileOptions,
): Promise<void> {
  const { openModelFile } = await import("../engine/open-model.ts");
  const { countOf, viewOf } = await import("./profile-findings.ts");
  const { differences, diffText, rowDifferences } = await import("./profile-diff.ts");
  const other = openModelFile(options.diff ?? "");
  const view = viewOf(options);
  const before = countOf(opened, options);
  let after: ModelCount;
  try {
    after = countOf(other, options);
  } finally {
    other.close();
  }
  if (options.json === true) {
    const totals = differences(before, after);
    const flops = rowDifferences(before, after, view);
    const object = { schema: "godwit.profile-diff/1", totals, flops };
    stdout.write(`${JSON.stringify(object, null, 2)}\n`);
  } else stdout.write(diffText([before, after], view, stdout.columns));
}

function refuseUncounted(
  { stderr, setExitCode }: CliContext,
  { uncounted, faults }: ModelCount,
): void {
  if (uncounted.length === 0 && faults.length === 0) return;
  const nodes = uncounted.reduce((sum, of) => sum + of.nodes.length, 0);
  const operators = uncounted.map(({ operator }) => operator).join(", ");
  const what = [
    ...(nodes === 0 ? [] : [`${nodes} nodes are not counted (${operators})`]),
    ...(faults.length === 0 ? [] : [`the model contradicts itself ${faults.length} times`]),
  ];
  stderr.write(`--strict: ${what.join("; ")}\n`);
  setExitCode(EXIT.failed);
}

// What `godwit run` measures with: found once, used by every run of -n. Options that cannot be
// right are refused here, before the command starts; everything else that fails is a notice.

import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Card } from "../core/card.ts";
import { exact, type Figure, reasonOf, UserError } from "../core/index.ts";
import {
  createSegment,
  keepCard,
  keepPending,
  type LedgerPlace,
  locateLedger,
  removeSegment,
} from "../ledger/index.ts";
import { locate, pueOf } from "../measure/carbon/index.ts";
import { model } from "../measure/estimate/estimator.ts";
import type { SubjectCounter } from "../measure/run/cpu-time.ts";
import { readIdleHistory } from "../measure/run/idle-history.ts";
import type { RecordSink } from "../measure/run/journal.ts";
import { markNested } from "../measure/run/leader.ts";
import { createMeter, type Ending } from "../measure/run/meter.ts";
import { type Setup, setUp } from "../measure/run/setup.ts";
import {
  createExternalMeter,
  externalMeter,
  openMeter,
} from "../measure/sensors/external-meter.ts";
import { providers, type SensorProvider } from "../measure/sensors/index.ts";
import type { CliContext } from "./context.ts";
import { createBudget } from "./run-budget.ts";
import { createEpochs } from "./run-epochs.ts";
import { createFactsFile } from "./run-facts.ts";
import type { BeginMeasurement, MeasuredEnd } from "./run-once.ts";
import type { RunPlan } from "./run-options.ts";

export interface Measuring {
  readonly begin: BeginMeasurement;
  /** The ledger's folder or server, once a card was kept there. */
  savedTo(): string | null;
  /** Whether a run was stopped because its budget was used up. */
  exceeded(): boolean;
}

/** Looks at the machine. Throws UserError for what was asked and cannot be had. */
export async function prepareMeasuring(context: CliContext, plan: RunPlan): Promise<Measuring> {
  const { host } = context;
  const place = locateLedger({
    cwd: context.cwd,
    env: context.env,
    flag: plan.ledger ?? undefined,
  });
  const signal = await locate(host, plan.signal);
  const pue = plan.pue === null ? null : pueOf({ declared: plan.pue, personal: false });
  const modelSize = plan.model === null ? null : sizeOf(context, plan.model);
  if (plan.meter !== null) await checkMeter(context, plan.meter);
  const options = {
    providers: providersFor(plan.meter),
    signal,
    footprint: plan.footprint,
    ...(pue === null ? {} : { pue }),
  };
  const setup = await setUp(host, options).catch((error: unknown) => reasonOf(error));
  if (plan.requireMeasured) requireMeasured(setup);

  let savedTo: string | null = null;
  let exceeded = false;

  const begin: BeginMeasurement = async ({ host, counter, signal, onNotice }) => {
    if (typeof setup === "string") throw new Error(setup);
    const budget = createBudget({
      plan,
      signal,
      onNotice,
      say: (text) => context.stderr.write(`godwit: ${text}\n`),
      onStop: () => {
        exceeded = true;
      },
    });
    const meter = createMeter({
      host,
      ...options,
      setup,
      subject: {
        kind: "command",
        name: plan.name,
        command: [...plan.command],
        tags: { ...plan.tags },
      },
      ...(plan.interval === null ? {} : { interval: plan.interval }),
      ...(plan.idle === null ? {} : { idleBaseline: plan.idle }),
      idleHistory: (of) => readIdleHistory(place, of),
      subjectUse: () => counter.read(),
      cpuTime: {
        source: counter.source,
        fallbacks: counter.fallbacks,
        ...(counter.step === undefined ? {} : { step: counter.step }),
      },
      sink: (id) => sinkOf(createSegment(place.folder, id), budget),
    });
    await meter.start();
    const epochs = plan.epochs === null ? null : createEpochs({ context, plan, meter });
    const facts = createFactsFile();
    return {
      env: { ...markNested(meter.id, setup.machine.id), ...facts.env },
      onEpoch: (mark) => epochs?.see(mark),
      async finish(end) {
        await epochs?.end();
        budget.end();
        const told = await facts.read((text) => meter.note(text));
        const card = await meter.stop(await endingOf(end, { counter, modelSize, told }));
        savedTo = (await keep(plan, { place, card }, onNotice)) ?? savedTo;
        return card;
      },
      async abandon() {
        await epochs?.end();
        budget.end();
        facts.remove();
        await meter.stop();
        removeSegment(place.folder, meter.id);
      },
    };
  };
  return { begin, savedTo: () => savedTo, exceeded: () => exceeded };
}

/** A meter that was named by an option takes the place of the environment's. */
function providersFor(target: string | null): readonly SensorProvider[] {
  const sensors = providers.map((provider) =>
    provider === externalMeter && target !== null ? createExternalMeter({ target }) : provider,
  );
  return [...sensors, model];
}

async function checkMeter({ host }: CliContext, target: string): Promise<void> {
  try {
    await openMeter(host, target);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError("invalid-input", `--meter: cannot read ${target}: ${reasonOf(error)}`, {
      hint: "Give a file that a power logger appends to, or the address of a smart plug.",
      cause: error,
    });
  }
}

function requireMeasured(setup: Setup | string): void {
  const counted =
    typeof setup === "string" ? [] : setup.survey.sensors.filter((ranked) => ranked.counted);
  if (counted.some(({ sensor }) => sensor.method !== "estimated")) return;
  throw new UserError("nothing-measured", "this machine has no energy sensor that can be read", {
    hint: "godwit doctor says why, and what opens one. Without --require, a model estimates.",
  });
}

function sizeOf(context: CliContext, file: string): Figure<"B"> {
  try {
    const found = statSync(resolve(context.cwd, file));
    if (!found.isFile()) throw new Error("it is not a file");
    const source = `size of ${basename(file)}`;
    return exact("B", found.size, { method: "measured", source });
  } catch (error) {
    throw new UserError("invalid-input", `--model: cannot read ${file}: ${reasonOf(error)}`, {
      hint: "Give the path of the model's file, such as model.onnx.",
      cause: error,
    });
  }
}

/** Records go to the run's segment, and by the budget. */
function sinkOf(segment: RecordSink & { close(): unknown }, budget: RecordSink): RecordSink {
  return {
    append(record) {
      budget.append(record);
      const fault = segment.append(record);
      if (record.type === "end") segment.close();
      return fault;
    },
  };
}

async function endingOf(
  end: MeasuredEnd,
  of: {
    readonly counter: SubjectCounter;
    readonly modelSize: Figure<"B"> | null;
    readonly told: Pick<Ending, "extra" | "quality">;
  },
): Promise<Ending> {
  return {
    ...of.told,
    status: end.interrupted ? "interrupted" : end.code === 0 ? "complete" : "failed",
    exit: { code: end.code, signal: end.signal },
    subjectS: await of.counter.finish(),
    extra: { ...of.told.extra, ...(of.modelSize === null ? {} : { modelSize: of.modelSize }) },
  };
}

/** Keeps the card and gives back where it will be found; null, with a notice, when nowhere. */
async function keep(
  { defers }: Pick<RunPlan, "defers">,
  { place, card }: { readonly place: LedgerPlace; readonly card: Card },
  onNotice: (text: string) => void,
): Promise<string | null> {
  try {
    if (defers) {
      keepPending(place.folder, card);
      return place.folder;
    }
    const kept = await keepCard(place, card, { onNotice });
    if (kept.status === "kept") return kept.place;
    onNotice(`${kept.reason}; this run waits in ${kept.place} and goes there when it is next used`);
  } catch (error) {
    onNotice(`this run was not kept: ${reasonOf(error)}`);
  }
  return null;
}

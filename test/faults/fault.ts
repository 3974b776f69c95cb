// What a fault is, the simulated run that it is injected into, and the verdict: was it refused, was it
// named, is the figure wider and still right, or was something wrong said without a word?

import type { Card } from "../../src/core/card.ts";
import { type AnyFigure, exact, type Figure, UserError } from "../../src/core/index.ts";
import type { RecordSink } from "../../src/measure/run/journal.ts";
import { createMeter, type Meter, type MeterOptions } from "../../src/measure/run/meter.ts";
import type { Domain, SensorProvider } from "../../src/measure/sensors/index.ts";
import type { FakeHost } from "../fake-host.ts";
import { NO_SUPPLY, SIGNAL } from "../run-records.ts";

/** What a fault must lead to; whatever else happens, no wrong number may go unremarked. */
type Expectation =
  | "refused"
  | "gap"
  | "wider interval"
  | "notice"
  /** The fault changes no figure: all are right, and there is nothing to say. */
  | "unharmed";

/** A machine whose true energy is known. */
export interface Simulation {
  readonly host: FakeHost;
  readonly providers: readonly SensorProvider[];
  /** True joules of each domain that is measured here, at seconds of the host's monotonic clock. */
  readonly energy: Readonly<Partial<Record<Domain, (seconds: number) => number>>>;
  /** How the run is measured beside the usual. */
  readonly prepare?: () => Promise<Partial<MeterOptions>>;
  /** True CPU seconds of the subject, where the kernel's process table tells them. */
  readonly cpuSeconds?: (seconds: number) => number;
}

/** A run that is about to be made, as a fault finds it. */
export interface Rig {
  readonly host: FakeHost;
  providers: readonly SensorProvider[];
  /** Does something at a second of the run. */
  at(second: number, action: () => void): void;
  /** What is found out before the run, as the command line does. */
  prepare: () => Promise<Partial<MeterOptions>>;
  /** What the search for the run's signal has to say. */
  readonly notes: string[];
  /** Where the run's records go. */
  sink?: (id: string) => RecordSink;
  /** Ends the run and gives its card. */
  finish: (meter: Meter) => Promise<Card>;
}

export interface Fault {
  readonly name: string;
  /** The simulated machine. */
  readonly on: () => Simulation;
  readonly inject: (rig: Rig) => void;
  readonly expect: Expectation;
  /** Why that is the right answer. */
  readonly why: string;
}

/** Seconds of every simulated run. */
const RUN_SECONDS = 60;

/** How a run ended. */
type Ended =
  | { readonly kind: "card"; readonly card: Card; readonly truth: Truth }
  | { readonly kind: "refused"; readonly error: UserError };

/** What really was used during a run. */
interface Truth {
  readonly joules: ReadonlyMap<Domain, number>;
  readonly cpuSeconds: number | null;
}

/** What became of a fault. */
export interface Verdict {
  readonly signs: ReadonlySet<Expectation>;
  /** Whether every figure's interval holds the truth; null when there is no figure. */
  readonly covered: boolean | null;
  /** Wrong numbers that nothing on the card remarks upon, and zeros in place of faults. */
  readonly silent: readonly string[];
  /** What the person is told first. */
  readonly said: string;
}

/** Runs a simulation, with a fault or without one. */
async function simulate(simulation: Simulation, fault?: Fault): Promise<Ended> {
  const { host, providers, energy, cpuSeconds } = simulation;
  const plans: { readonly second: number; readonly action: () => void }[] = [];
  const rig: Rig = {
    host,
    providers,
    at: (second, action) => void plans.push({ second, action }),
    prepare: simulation.prepare ?? (async () => ({})),
    notes: [],
    finish: (meter) => meter.stop(),
  };
  try {
    fault?.inject(rig);
    const seconds = (): number => Number(host.monotonic()) / 1e9;
    let begun: number | null = null;
    const meter = createMeter({
      host,
      providers: rig.providers,
      subject: { kind: "command", name: "simulated", command: ["work"], tags: {} },
      signal: SIGNAL,
      wall: NO_SUPPLY,
      pue: exact("1", 1, { method: "declared", source: "a test" }),
      interval: 1,
      ...(await rig.prepare()),
      sink: (id) => {
        const kept = rig.sink?.(id);
        return {
          append(record) {
            if (record.type === "tick") begun ??= seconds();
            return kept?.append(record) ?? null;
          },
        };
      },
    });
    for (const text of rig.notes) meter.note(text);
    await through(host, meter.start());
    for (const { second, action } of plans) host.alarm(second * 1000 + 1, action);
    await host.elapse(RUN_SECONDS * 1000);
    const ended = seconds();
    const card = await through(host, rig.finish(meter));
    const since = (of: (seconds: number) => number): number => of(ended) - of(begun ?? ended);
    const joules = Object.entries(energy).map(
      ([domain, of]) => [domain as Domain, since(of)] as const,
    );
    const used = cpuSeconds === undefined ? null : since(cpuSeconds);
    return { kind: "card", card, truth: { joules: new Map(joules), cpuSeconds: used } };
  } catch (error) {
    if (error instanceof UserError && error.hint !== "") return { kind: "refused", error };
    throw error;
  }
}

/** Lets simulated time pass until a promise settles; what waits for a real disk is waited for. */
async function through<T>(host: FakeHost, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  promise.then(done, done);
  await host.elapse(0);
  for (let step = 0; !settled && step < LONGEST_WAIT; step++) await host.elapse(10);
  return promise;
}

/** Steps of 10 ms: no deadline of a sensor or a driver is as long. */
const LONGEST_WAIT = 2000;

/** Injects a fault and judges what the person would be told. */
export async function judge(fault: Fault): Promise<Verdict> {
  const before = await simulate(fault.on());
  if (before.kind === "refused") throw new Error(`${fault.name}: the sound machine is refused`);
  const flaws = wrongs(before.card, before.truth);
  if (before.card.gaps.length > 0 || flaws.length > 0) {
    throw new Error(`${fault.name}: the sound machine is not sound: ${flaws.join("; ")}`);
  }
  const after = await simulate(fault.on(), fault);
  if (after.kind === "refused") {
    const said = `${after.error.message}. ${after.error.hint}`;
    return { signs: new Set(["refused"]), covered: null, silent: [], said };
  }
  const { card, truth } = after;
  const news = card.notices.filter((text) => !before.card.notices.includes(text));
  const signs = new Set<Expectation>();
  if (card.gaps.length > 0) signs.add("gap");
  if (news.length > 0) signs.add("notice");
  const wrong = wrongs(card, truth);
  const covered = hasFigure(card) ? wrong.length === 0 : null;
  if (covered === true && isWider(card, before.card)) signs.add("wider interval");
  if (covered === true) signs.add("unharmed");
  const zeros = [...truth.joules].filter(([domain, joules]) => joules > 0 && isZero(card, domain));
  const isSaid = signs.has("gap") || signs.has("notice");
  const [gap] = card.gaps;
  const reasons = card.components.flatMap(({ energy }) => energy.fallbacks);
  return {
    signs,
    covered,
    silent: [
      ...(isSaid ? [] : wrong),
      ...zeros.map(([domain]) => `${domain}: zero in place of a fault`),
    ],
    said: news[0] ?? (gap === undefined ? reasons[0] : `gap: ${gap.reason}`) ?? "",
  };
}

/** Figures of the card that do not hold the truth. */
function wrongs(card: Card, truth: Truth): readonly string[] {
  const parts = [...truth.joules].flatMap(([domain, joules]) => {
    const figures = card.components.filter((one) => one.domain === domain).map((c) => c.energy);
    return figures.length === 0
      ? [`${domain}: no figure`]
      : outside(domain, joules, added(figures));
  });
  const { energy, emissions, cpuTime } = card.measures;
  const covered = [...truth.joules.keys()].every((domain) =>
    card.components.some((one) => one.domain === domain),
  );
  const all = [...truth.joules.values()].reduce((sum, joules) => sum + joules, 0);
  const whole = covered && energy?.gross !== undefined ? outside("gross", all, energy.gross) : [];
  const grams = (all / 3.6e6) * SIGNAL.intensity.value;
  // Where the subject is the whole load, its emissions are the machine's.
  const isAll = truth.cpuSeconds === null;
  const gas =
    isAll && covered && emissions !== undefined ? outside("emissions", grams, emissions) : [];
  const time =
    truth.cpuSeconds === null || cpuTime === undefined
      ? []
      : outside("CPU time", truth.cpuSeconds, {
          low: cpuTime.value - CLOCK_TICKS,
          high: cpuTime.value + CLOCK_TICKS,
        });
  return [...parts, ...whole, ...gas, ...time];
}

/** Bounds of a sum whose parts' errors are all to one side: no narrower than any true interval. */
const added = (figures: readonly Figure<"J">[]): Pick<AnyFigure, "low" | "high"> => ({
  low: figures.reduce((sum, { low }) => sum + low, 0),
  high: figures.reduce((sum, { high }) => sum + high, 0),
});

/** The kernel tells CPU time of a process in steps of 10 ms, user and system apart. */
const CLOCK_TICKS = 0.04;

/** Joules of floating-point dust. */
const DUST = 1e-6;

function outside(
  name: string,
  truth: number,
  { low, high }: Pick<AnyFigure, "low" | "high">,
): readonly string[] {
  if (truth >= low - DUST && truth <= high + DUST) return [];
  return [
    `${name}: ${low.toPrecision(4)} to ${high.toPrecision(4)}, truly ${truth.toPrecision(4)}`,
  ];
}

const hasFigure = (card: Card): boolean => card.components.length > 0;

const isZero = (card: Card, domain: Domain): boolean =>
  card.components.some((one) => one.domain === domain && one.energy.value === 0);

/** Wider by more than a twentieth than on the sound machine, for energy or for emissions. */
function isWider({ measures: now }: Card, { measures: before }: Card): boolean {
  const width = (of: AnyFigure | undefined): number =>
    of === undefined || of.value === 0 ? 0 : (of.high - of.low) / of.value;
  return (
    width(now.energy?.gross) > 1.05 * width(before.energy?.gross) ||
    width(now.emissions) > 1.05 * width(before.emissions)
  );
}

/** An error of a host with its code, as Node gives it. */
export const hostFault = (code: string, text = code): Error =>
  Object.assign(new Error(text), { code });

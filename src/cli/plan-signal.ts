// Which carbon intensity `godwit plan` decides by: a file, an address or a service; as it was issued, or as
// a forecaster makes it of a record; and how far off it may be.

import { basename, resolve } from "node:path";
import { z } from "zod";
import { once, reasonOf, UserError } from "../core/index.ts";
import {
  type Basis,
  createSeries,
  type IntensitySeries,
  type Kind,
} from "../measure/carbon/index.ts";
import {
  endOf,
  forecastFrom,
  type NamedForecaster,
  newestStretch,
  type Signal,
  signalOfSeries,
  signalsFromJson,
} from "../systems/schedule/index.ts";
import type { CliContext } from "./context.ts";
import { providerOf } from "./intensity-source.ts";

/** What was said on the command line about the signal. */
export interface SignalChoice {
  /** File or address. */
  readonly signal?: string | undefined;
  readonly zone?: string | undefined;
  /** Service. */
  readonly from?: string | undefined;
  readonly kind?: Kind | undefined;
  readonly basis?: Basis | undefined;
  readonly offline: boolean;
}

export interface Window {
  /** Unix seconds. */
  readonly now: number;
  readonly until: number;
}

export interface ChosenSignal {
  /** What the plan decides by. */
  readonly forecast: Signal;
  /** The record that a forecaster made it of; null when it was issued as a forecast. */
  readonly record: Signal | null;
  /** Signals of another kind that the same file holds, shown beside the plan. */
  readonly beside: readonly Signal[];
  readonly notices: readonly string[];
}

const DAY_MS = 86_400_000;
/** The longest step of a service. */
const HOUR_S = 3600;

/** Days of record that services hand out in one answer; files are read whole. */
const RECORD_DAYS: Readonly<Record<string, number>> = { entsoe: 60, watttime: 30 };
const USUAL_RECORD_DAYS = 9;

/** The signal that was chosen. Throws UserError when it cannot be had or is too short. */
export async function chosenSignal(
  context: CliContext,
  choice: SignalChoice,
  window: Window,
  forecaster: NamedForecaster | null,
): Promise<ChosenSignal> {
  requireSource(choice);
  const { signals, notices } = await readSignals(context, choice, window, forecaster !== null);
  const [deciding, ...others] = newestOfEachKind(signals, choice.zone, window.now);
  if (forecaster === null) {
    requireWindow(deciding, window);
    const beside = others.filter((one) => covers(one, window));
    return { forecast: deciding, record: null, beside, notices };
  }
  const forecast = forecastFrom(deciding, forecaster, window);
  return { forecast, record: deciding, beside: [], notices };
}

/**
 * What the source says that the intensity really was from `from` to `to`; null when it does not cover that, or
 * says it ahead of time. Throws what the source throws.
 */
export async function recordedSignal(
  context: CliContext,
  choice: SignalChoice,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Signal | null> {
  // Services cut their answer to whole steps: the one in which it ends is wanted too, if it is over.
  const end = Math.min(Math.ceil(to / HOUR_S) * HOUR_S, context.host.wall() / 1000);
  const now = Math.max(to, end);
  const { signals } = await readSignals(context, choice, { now, until: now }, true);
  const isRecord = (one: Signal): boolean =>
    one.issuedAt >= to && one.start <= from && endOf(one) >= to;
  return signals.find(isRecord) ?? null;
}

const covers = ({ start, ...of }: Signal, { now, until }: Window): boolean =>
  start <= now && endOf({ start, ...of }) >= until;

function requireWindow(of: Signal, window: Window): void {
  if (covers(of, window)) return;
  const utc = (moment: number): string => new Date(moment * 1000).toISOString().slice(0, 16);
  throw new UserError(
    "invalid-input",
    `the signal of ${of.zone} covers ${utc(of.start)} to ${utc(endOf(of))} UTC, ` +
      `the plan needs ${utc(window.now)} to ${utc(window.until)}`,
    {
      hint: "Give a longer forecast or an earlier deadline; or, for a record of the past, --forecaster week-mean.",
    },
  );
}

interface Read {
  readonly signals: readonly Signal[];
  readonly notices: readonly string[];
}

async function readSignals(
  context: CliContext,
  choice: SignalChoice,
  window: Window,
  wantsRecord: boolean,
): Promise<Read> {
  const { signal: target, zone, from } = choice;
  if (target !== undefined) {
    const isAddress = /^https?:\/\//.test(target);
    const path = isAddress ? target : resolve(context.cwd, target);
    const text = isAddress ? null : await readFile(context, path);
    const own = text === null ? null : selfDescribed(text, target);
    if (own !== null) return own;
  }
  const source = target === undefined ? (from ?? "") : pathOf(context, target);
  const provider = await providerOf(context, { ...choice, from: source });
  const days = RECORD_DAYS[source] ?? USUAL_RECORD_DAYS;
  const range = { from: window.now * 1000 - days * DAY_MS, to: window.now * 1000 };
  const { series, notices } = await provider.fetch({
    zone: zone ?? basename(source),
    want: wantsRecord ? "history" : "forecast",
    ...(wantsRecord && target === undefined ? range : {}),
  });
  return signalFrom({ ...series, source: target ?? series.source }, notices, wantsRecord);
}

/** A path that cannot be taken for the name of a service. */
const pathOf = ({ cwd }: CliContext, target: string): string =>
  /^https?:\/\//.test(target) ? target : resolve(cwd, target);

async function readFile({ host }: CliContext, path: string): Promise<string> {
  try {
    return await host.readText(path);
  } catch (cause) {
    throw new UserError("invalid-input", `cannot read ${path}: ${reasonOf(cause)}`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  }
}

/** A record may have holes before its newest stretch; a forecast may have none. */
function signalFrom(
  series: IntensitySeries,
  notices: readonly string[],
  wantsRecord: boolean,
): Read {
  if (!wantsRecord) return { signals: [signalOfSeries(series)], notices };
  const { signal, notices: more } = newestStretch(series);
  return { signals: [signal], notices: [...notices, ...more] };
}

/** Of a file of our own making, all that it says about itself; null for one that says nothing. */
function selfDescribed(text: string, target: string): Read | null {
  if (!/^\s*[[{]/.test(text)) return null;
  if (text.includes('"godwit.signal/')) return { signals: signalsFromJson(text), notices: [] };
  const parsed = intensityFile().safeParse(jsonOf(text));
  if (!parsed.success) return null;
  const { issued_at: issued, data, notices, ...about } = parsed.data;
  const series = createSeries({
    ...about,
    source: `${about.source} (${target})`,
    ...(issued === undefined ? {} : { issuedAt: Date.parse(issued) }),
    points: data.map(({ start, end, gco2e_per_kwh: value }) => ({
      start: Date.parse(start),
      end: Date.parse(end),
      value,
    })),
  });
  return signalFrom(series, notices, issued === undefined);
}

/** What `godwit intensity --json` writes. */
const intensityFile = once(() => {
  const instant = z.iso.datetime({ offset: true });
  return z.object({
    schema: z.literal("godwit.intensity/1"),
    zone: z.string(),
    kind: z.enum(["average", "marginal"]),
    basis: z.enum(["location", "market"]),
    scope: z.enum(["life-cycle", "direct", "unknown"]),
    source: z.string(),
    issued_at: instant.optional(),
    notices: z.array(z.string()),
    data: z.array(z.object({ start: instant, end: instant, gco2e_per_kwh: z.number() })).min(1),
  });
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Read again as a table, which names the fault.
    return null;
  }
}

/** Of each kind and basis the last issued that was known by now; the kind of the first one decides. */
function newestOfEachKind(
  signals: readonly Signal[],
  zone: string | undefined,
  now: number,
): readonly [Signal, ...Signal[]] {
  const zones = [...new Set(signals.map((one) => one.zone))];
  const wanted = signals.length === 1 ? zones[0] : (zone ?? (zones.length === 1 ? zones[0] : ""));
  const newest = new Map<string, Signal>();
  for (const one of signals.filter((signal) => signal.zone === wanted)) {
    const key = `${one.kind} ${one.basis}`;
    const before = newest.get(key);
    const isKnown = signals.length === 1 || one.issuedAt <= now;
    if (isKnown && (before === undefined || one.issuedAt >= before.issuedAt)) newest.set(key, one);
  }
  const [first, ...others] = newest.values();
  if (first !== undefined) return [first, ...others];
  const known = zones.join(", ");
  throw new UserError("usage", `no signal of ${zone ?? "one zone"} that was known by now`, {
    hint: `The file has ${known}. Name one with --zone, issued before now.`,
  });
}

/** Throws UserError with what to give when nothing says where carbon intensities come from. */
export function requireSource({ signal: target, zone, from }: SignalChoice): void {
  if (target !== undefined && from !== undefined)
    throw new UserError("usage", `--signal ${target} and --from ${from} name two sources`, {
      hint: "Give one of them.",
    });
  if (target !== undefined) return;
  if (from === undefined) throw zone === undefined ? noSignal() : noSource(zone);
  if (zone === undefined) throw noZone(from);
}

const noSource = (zone: string): UserError =>
  new UserError("usage", `--zone ${zone} does not say whom to ask`, {
    hint: "Add --from electricity-maps, watttime or uk for a forecast; or --from entsoe with --forecaster.",
  });

const noZone = (from: string): UserError =>
  new UserError("usage", `--from ${from} does not say for which grid`, {
    hint: "Add --zone, as the source spells it: --zone GB --from uk.",
  });

const noSignal = (): UserError =>
  new UserError("usage", "there is no carbon intensity to plan with", {
    hint: `Give one of
--zone GB --from uk                      a forecast; Great Britain needs no account
--zone DE --from electricity-maps        a forecast (ELECTRICITY_MAPS_TOKEN)
--zone DE --from entsoe --forecaster week-mean   a record, and a forecast made of it
--signal forecast.csv                    a file of your own:
  start,gco2e_per_kwh
  2026-01-31T12:00Z,312
  2026-01-31T13:00Z,298`,
  });

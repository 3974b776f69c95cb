// Runs as Prometheus metrics, in the text exposition format 0.0.4, for node_exporter's textfile
// collector: no time stamps, one HELP and TYPE a metric, a line feed at the end. Counters add up the
// runs of one name on one machine; gauges are of the latest of them. `godwit metrics` serves the same text.
//
// Exposition formats, prometheus.io/docs/instrumenting/exposition_formats; names after
// prometheus.io/docs/practices/naming: base units as suffixes, `_total` for counters.

import type { Card } from "../../core/card.ts";
import { headlineEnergy } from "../headline.ts";
import { wellFormed } from "./well-formed.ts";

type Labels = Readonly<Record<string, string>>;

/** One value of a card under a metric's name. */
interface Point {
  readonly labels: Labels;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly of: (card: Card) => Point | null;
}

const identity = ({ subject, machine }: Card): Labels => ({
  name: subject.name,
  machine: machine.id,
});

const point = (value: number | undefined, card: Card, more: Labels = {}): Point | null =>
  value === undefined ? null : { value, labels: { ...identity(card), ...more } };

/** What tells energies apart that must not be added. */
function energyLabels({ boundary }: Card, method: string, account: string): Labels {
  return { boundary: account, scope: boundary.scope, method };
}

const signalLabels = ({ signal }: Card): Labels => ({
  zone: signal?.zone ?? "unknown",
  signal: signal?.kind ?? "unknown",
});

function energyPoint(card: Card, bound: "value" | "low" | "high" = "value"): Point | null {
  const headline = headlineEnergy(card);
  if (headline === null) return null;
  const { boundary, figure } = headline;
  return point(figure[bound], card, energyLabels(card, figure.method, boundary));
}

function emissionsPoint(card: Card): Point | null {
  return point(card.measures.emissions?.value, card, signalLabels(card));
}

const COUNTERS: readonly Metric[] = [
  {
    name: "godwit_runs_total",
    help: "Runs by how they ended.",
    of: (card) => point(1, card, { status: card.status }),
  },
  {
    name: "godwit_run_seconds_total",
    help: "Running time of the runs.",
    of: (card) => point(card.measures.duration.value, card),
  },
  {
    name: "godwit_run_cpu_seconds_total",
    help: "CPU time of the runs' process trees.",
    of: (card) => point(card.measures.cpuTime?.value, card),
  },
  {
    name: "godwit_run_energy_joules_total",
    help: "Energy of the runs at their headline boundary.",
    of: energyPoint,
  },
  {
    name: "godwit_run_emissions_gco2e_total",
    help: "Operational emissions of the runs, grams of CO2 equivalent.",
    of: emissionsPoint,
  },
  {
    name: "godwit_run_water_liters_total",
    help: "Water of the runs.",
    of: (card) => point(card.measures.water?.value, card),
  },
];

const GAUGES: readonly Metric[] = [
  {
    name: "godwit_last_run_end_timestamp_seconds",
    help: "When the latest run ended, Unix time.",
    of: (card) => point(Date.parse(card.endedAt) / 1000, card),
  },
  {
    name: "godwit_last_run_duration_seconds",
    help: "Running time of the latest run.",
    of: (card) => point(card.measures.duration.value, card),
  },
  {
    name: "godwit_last_run_energy_joules",
    help: "Energy of the latest run at its headline boundary.",
    of: energyPoint,
  },
  {
    name: "godwit_last_run_energy_low_joules",
    help: "Lower end of the 90 % interval of the latest run's energy.",
    of: (card) => energyPoint(card, "low"),
  },
  {
    name: "godwit_last_run_energy_high_joules",
    help: "Upper end of the 90 % interval of the latest run's energy.",
    of: (card) => energyPoint(card, "high"),
  },
  {
    name: "godwit_last_run_power_watts",
    help: "Mean power of the latest run.",
    of: (card) => point(card.measures.power?.mean.value, card),
  },
  {
    name: "godwit_last_run_emissions_gco2e",
    help: "Operational emissions of the latest run, grams of CO2 equivalent.",
    of: emissionsPoint,
  },
];

/** Cards as one exposition. A run inside another is left out: the outer run has its energy. */
export function renderPrometheus(cards: readonly Card[]): string {
  const ids = new Set(cards.map(({ id }) => id));
  const own = cards.filter(({ subject }) => !ids.has(subject.tags["inside"] ?? ""));
  const latest = latestRuns(own);
  return [
    ...COUNTERS.map((metric) => family(metric, "counter", own)),
    ...GAUGES.map((metric) => family(metric, "gauge", latest)),
  ].join("");
}

/** The latest run of each name on each machine. */
function latestRuns(cards: readonly Card[]): readonly Card[] {
  const latest = new Map<string, Card>();
  for (const card of cards) {
    const key = JSON.stringify(identity(card));
    const before = latest.get(key);
    if (before === undefined || before.startedAt < card.startedAt) latest.set(key, card);
  }
  return [...latest.values()];
}

/** HELP, TYPE and a line for each set of labels; nothing at all when no card has the value. */
function family({ name, help, of }: Metric, type: string, cards: readonly Card[]): string {
  const sums = new Map<string, number>();
  for (const card of cards) {
    const found = of(card);
    if (found === null) continue;
    const key = labelText(found.labels);
    sums.set(key, (sums.get(key) ?? 0) + found.value);
  }
  if (sums.size === 0) return "";
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
  const samples = lines.map(([labels, value]) => `${name}{${labels}} ${value}\n`).join("");
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples}`;
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");

/** Backslash, quote and line feed are escaped, as the format asks; lone surrogates are no UTF-8. */
const escapeLabel = (value: string): string =>
  wellFormed(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

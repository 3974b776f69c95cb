// Runs as OpenTelemetry data in OTLP/JSON (opentelemetry-proto 1.x, JSON protobuf encoding): 64-bit
// integers are strings, ids are hexadecimal, enumerations are numbers, names are lower camel case.
//
// Metrics follow the semantic conventions for hardware: `hw.energy` (counter, J) and `hw.power`
// (gauge, W) of a component; what is of the whole host has names of its own, `hw.host.energy` and
// `hw.host.power`, so that nobody adds the two. Each run is a counter that started with the run and is
// told from others by `godwit.run.id`: cumulative, so that every backend takes it.

import type { Card, Component } from "../../core/card.ts";
import { columnName } from "../card-row.ts";
import { figuresOf } from "../headline.ts";
import { wellFormed } from "./well-formed.ts";

type Attribute = {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly doubleValue: number }
    | { readonly intValue: string }
    | { readonly boolValue: boolean };
};

interface DataPoint {
  readonly attributes: readonly Attribute[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
  readonly asDouble: number;
}

interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly sum?: {
    readonly dataPoints: readonly DataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE, metrics.proto. */
const CUMULATIVE = 2;
/** SPAN_KIND_INTERNAL, trace.proto. */
const INTERNAL = 1;
/** STATUS_CODE_OK and STATUS_CODE_ERROR, trace.proto. */
const STATUS = { ok: 1, error: 2 } as const;

/** `hw.type` of a domain, of the convention's well-known values. */
const HW_TYPE: Readonly<Record<Component["domain"], string>> = {
  cpu: "cpu",
  gpu: "gpu",
  memory: "memory",
  network: "network",
  storage: "physical_disk",
  board: "enclosure",
  machine: "enclosure",
};

/** The body for `/v1/metrics`. */
export function otlpMetrics(cards: readonly Card[]): object {
  return {
    resourceMetrics: byMachine(cards).map((own) => ({
      resource: resourceOf(own[0]),
      scopeMetrics: [{ scope: scopeOf(own[0]), metrics: metricsOf(own) }],
    })),
  };
}

/** The body for `/v1/traces`: a trace a run, its spans below it. */
export function otlpTraces(cards: readonly Card[]): object {
  return {
    resourceSpans: byMachine(cards).map((own) => ({
      resource: resourceOf(own[0]),
      scopeSpans: [{ scope: scopeOf(own[0]), spans: own.flatMap(spansOf) }],
    })),
  };
}

type Cards = readonly [Card, ...Card[]];

function byMachine(cards: readonly Card[]): readonly Cards[] {
  const groups = new Map<string, [Card, ...Card[]]>();
  for (const card of cards) {
    const group = groups.get(card.machine.id);
    if (group === undefined) groups.set(card.machine.id, [card]);
    else group.push(card);
  }
  return [...groups.values()];
}

const resourceOf = ({ machine }: Card) => ({
  attributes: [
    text("service.name", "godwit"),
    text("host.id", machine.id),
    text("host.arch", machine.arch),
    text("os.type", machine.platform),
    text("host.cpu.model.name", machine.cpu.name),
  ],
});

const scopeOf = ({ godwit }: Card) => ({ name: "godwit", version: wellFormed(godwit.version) });

function metricsOf(cards: Cards): readonly OtlpMetric[] {
  const energies = (isHost: boolean): readonly DataPoint[] =>
    cards.flatMap((card) =>
      card.components
        .filter(({ domain }) => (domain === "machine") === isHost)
        .map((component) => energyPoint(card, component)),
    );
  const powers = (isHost: boolean): readonly DataPoint[] =>
    cards.flatMap((card) =>
      card.series
        .filter(({ domain }) => (domain === "machine") === isHost)
        .flatMap((series) => powerPoints(card, series)),
    );
  const counter = (name: string, description: string, dataPoints: readonly DataPoint[]) => ({
    name,
    description,
    unit: "J",
    sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true },
  });
  const gauge = (name: string, description: string, dataPoints: readonly DataPoint[]) => ({
    name,
    description,
    unit: "W",
    gauge: { dataPoints },
  });
  return [
    counter("hw.energy", "Energy of the component during the run.", energies(false)),
    gauge("hw.power", "Power of the component during the run.", powers(false)),
    counter("hw.host.energy", "Energy of the whole host during the run.", energies(true)),
    gauge("hw.host.power", "Power of the whole host during the run.", powers(true)),
  ].filter(({ sum, gauge: of }: OtlpMetric) => (sum ?? of)?.dataPoints.length !== 0);
}

function energyPoint(card: Card, { domain, device, provider, energy }: Component): DataPoint {
  return {
    attributes: [
      ...hardware(card, domain, device),
      text("godwit.method", energy.method),
      text("godwit.provider", provider),
    ],
    startTimeUnixNano: nanos(card.startedAt),
    timeUnixNano: nanos(card.endedAt),
    asDouble: energy.value,
  };
}

/** Gaps have no point: a value that nobody read is not 0 W. */
function powerPoints(card: Card, series: Card["series"][number]): readonly DataPoint[] {
  const attributes = hardware(card, series.domain, series.device);
  return series.timesS.flatMap((t, index) => {
    const watts = series.watts[index] ?? null;
    return watts === null
      ? []
      : [{ attributes, timeUnixNano: nanos(card.startedAt, t), asDouble: watts }];
  });
}

/** The host's own metrics have no `hw.type`. */
function hardware(card: Card, domain: string, device: string): readonly Attribute[] {
  const type = (HW_TYPE as Readonly<Record<string, string>>)[domain] ?? domain;
  return [
    text("hw.id", `${domain}:${device}`),
    text("hw.name", device),
    ...(domain === "machine" ? [] : [text("hw.type", type)]),
    text("godwit.run.id", card.id),
    text("godwit.run.name", card.subject.name),
  ];
}

function spansOf(card: Card): readonly object[] {
  const traceId = hexId(`trace ${card.id}`, 32);
  const rootId = hexId(`run ${card.id}`, 16);
  const idOf = (index: number): string => hexId(`span ${index} of ${card.id}`, 16);
  const common = { traceId, kind: INTERNAL };
  const root = {
    ...common,
    spanId: rootId,
    name: wellFormed(card.subject.name),
    startTimeUnixNano: nanos(card.startedAt),
    endTimeUnixNano: nanos(card.endedAt),
    attributes: runAttributes(card),
    status: { code: card.status === "complete" ? STATUS.ok : STATUS.error },
  };
  const parts = card.spans.map((span, index) => ({
    ...common,
    spanId: idOf(index),
    parentSpanId: span.parent === undefined ? rootId : idOf(span.parent),
    name: wellFormed(span.name),
    startTimeUnixNano: nanos(card.startedAt, span.startS),
    endTimeUnixNano: nanos(card.startedAt, span.endS),
    attributes:
      span.energy === undefined
        ? []
        : [
            number("godwit.energy_j", span.energy.value),
            number("godwit.energy_j_low_90", span.energy.low),
            number("godwit.energy_j_high_90", span.energy.high),
            text("godwit.energy_j_method", span.energy.method),
          ],
  }));
  return [root, ...parts];
}

/** The card's own measures, with the names of `--csv` behind `godwit.`. */
function runAttributes(card: Card): readonly Attribute[] {
  const figures = figuresOf(card)
    .filter(({ group }) => group !== "component" && group !== "span")
    .flatMap((named) => {
      const key = `godwit.${columnName(named)}`;
      const { value, low, high, method } = named.figure;
      return [
        number(key, value),
        number(`${key}_low_90`, low),
        number(`${key}_high_90`, high),
        text(`${key}_method`, method),
      ];
    });
  return [
    text("godwit.run.id", card.id),
    text("godwit.run.status", card.status),
    text("godwit.energy_boundary", card.boundary.headline),
    text("godwit.energy_scope", card.boundary.scope),
    ...Object.entries(card.subject.tags).map(([key, value]) => text(`godwit.tag.${key}`, value)),
    ...figures,
  ];
}

const text = (key: string, value: string): Attribute => ({
  key: wellFormed(key),
  value: { stringValue: wellFormed(value) },
});

const number = (key: string, value: number): Attribute => ({ key, value: { doubleValue: value } });

/** Unix nanoseconds as a decimal string: fixed64 in JSON. */
function nanos(instant: string, seconds = 0): string {
  return String(BigInt(Date.parse(instant)) * 1_000_000n + BigInt(Math.round(seconds * 1e9)));
}

/**
 * An id that is the same whenever a run is sent again: FNV-1a (Fowler, Noll, Vo) of 64 bits, twice for
 * a trace. Ids tell runs apart; they are no secret.
 */
function hexId(seed: string, digits: 16 | 32): string {
  const id = Array.from({ length: digits / 16 }, (_, part) => fnv64(`${part} ${seed}`)).join("");
  return /^0+$/.test(id) ? id.replace(/0$/, "1") : id;
}

function fnv64(value: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(value)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}

// Each format is read back by something that was not written by its writer: a strict parser of the
// Prometheus text format, the field names of the OTLP schema, a YAML reader, the published rules.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { exampleCard } from "../../../test/example-card.ts";
import { hostileCard, poorCard, richCard } from "../../../test/sample-card.ts";
import type { Card } from "../../core/card.ts";
import { parseCsvTable } from "../../core/csv.ts";
import { badgeEndpoint, renderBadge } from "./badge.ts";
import { boampsReport } from "./boamps.ts";
import { CODECARBON_COLUMNS, renderCodeCarbon } from "./codecarbon.ts";
import { renderImpactFramework } from "./impact-framework.ts";
import { otlpMetrics, otlpTraces } from "./otlp.ts";
import { renderPrometheus } from "./prometheus.ts";

const HOSTILE = ['a"b\\c\nd', "\ud800", "{x=1}", "# HELP x", "=cmd|' /C calc'!A0", "\u202e<&>'"];
const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({
    unit: fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      fc.constantFrom("\n", '"', "\\", "{", "}", ",", "=", "\r"),
    ),
  }),
);

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The text format 0.0.4, strictly: metadata before samples, families in one piece, no time stamps. */
function parsePrometheus(text: string): readonly Sample[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("no line feed at the end");
  const samples: Sample[] = [];
  const closed = new Set<string>();
  const seen = new Set<string>();
  let open = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const meta = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (meta !== null) {
      const [, kind, name = "", rest = ""] = meta;
      if (kind === "HELP") {
        if (closed.has(name)) throw new Error(`${name} twice`);
        closed.add(name);
        open = name;
      } else if (name !== open || !/^(counter|gauge)$/.test(rest)) throw new Error(line);
      continue;
    }
    const match =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\n"])*",?)*)\} (\S+)$/s.exec(
        line,
      );
    if (match === null || match[1] !== open) throw new Error(`not a sample: ${line}`);
    const [, name = "", inside = "", number = ""] = match;
    if (!Number.isFinite(Number(number))) throw new Error(number);
    if (seen.has(`${name}{${inside}}`)) throw new Error(`twice: ${line}`);
    seen.add(`${name}{${inside}}`);
    const labels = Object.fromEntries(
      [...inside.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"/gs)].map(
        ([, key = "", value = ""]) => [
          key,
          value.replace(/\\([\\n"])/g, (_, escaped) => (escaped === "n" ? "\n" : escaped)),
        ],
      ),
    );
    samples.push({ name, labels, value: Number(number) });
  }
  return samples;
}

const sampleOf = (samples: readonly Sample[], name: string): Sample => {
  const found = samples.find((sample) => sample.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

describe("Prometheus", () => {
  test("counters add up the runs of one name, gauges are of the latest", () => {
    const cards = [
      exampleCard({ id: "a", startedAt: "2026-01-01T00:00:00.000Z" }),
      exampleCard({
        id: "b",
        startedAt: "2026-01-02T00:00:00.000Z",
        endedAt: "2026-01-02T00:01:00.000Z",
        status: "failed",
      }),
    ];
    const samples = parsePrometheus(renderPrometheus(cards));
    expect(sampleOf(samples, "godwit_run_energy_joules_total")).toMatchObject({
      value: 9000,
      labels: { boundary: "attributed", scope: "wall", method: "estimated", name: "train" },
    });
    expect(sampleOf(samples, "godwit_last_run_energy_joules").value).toBe(4500);
    expect(sampleOf(samples, "godwit_last_run_end_timestamp_seconds").value).toBe(
      Date.parse("2026-01-02T00:01:00Z") / 1000,
    );
    expect(samples.filter(({ name }) => name === "godwit_runs_total")).toHaveLength(2);
  });

  test("energies of unlike boundaries, scopes or methods are never in one counter", () => {
    const samples = parsePrometheus(renderPrometheus([exampleCard(), richCard(), poorCard()]));
    const energies = samples.filter(({ name }) => name === "godwit_run_energy_joules_total");
    expect(energies.map(({ value }) => value).sort()).toEqual([11_160, 4500]);
  });

  test("a run inside another is left out, since the outer run has its energy", () => {
    const inner = exampleCard({
      id: "inner",
      subject: { kind: "command", name: "train", tags: { inside: "outer" } },
    });
    const samples = parsePrometheus(renderPrometheus([exampleCard({ id: "outer" }), inner]));
    expect(sampleOf(samples, "godwit_run_energy_joules_total").value).toBe(4500);
    expect(sampleOf(parsePrometheus(renderPrometheus([inner])), "godwit_runs_total").value).toBe(1);
  });

  test("what is not known has no sample, never a zero", () => {
    const text = renderPrometheus([poorCard()]);
    expect(text).not.toContain("energy");
    expect(parsePrometheus(text).length).toBeGreaterThan(0);
    expect(renderPrometheus([])).toBe("");
  });

  test("any name comes back as it was", () => {
    fc.assert(
      fc.property(hostileText, (name) => {
        const text = renderPrometheus([
          exampleCard({ subject: { kind: "command", name, tags: {} } }),
        ]);
        const expected = name.replace(/\p{Cs}/gu, "\ufffd");
        for (const { labels } of parsePrometheus(text)) expect(labels["name"]).toBe(expected);
      }),
    );
  });
});

// opentelemetry-proto v1: metrics.proto, trace.proto, common.proto, resource.proto, in the JSON mapping
// of the OTLP specification. Strict objects: a field name that is not the schema's fails.
const int64 = z.string().regex(/^\d+$/);
const attribute = z.strictObject({
  key: z.string().min(1),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ intValue: int64 }),
    z.strictObject({ boolValue: z.boolean() }),
  ]),
});
const attributes = z
  .array(attribute)
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, "keys are unique");
const resource = z.strictObject({ attributes });
const scope = z.strictObject({ name: z.string(), version: z.string() });
const dataPoint = z.strictObject({
  attributes,
  startTimeUnixNano: int64.optional(),
  timeUnixNano: int64,
  asDouble: z.number(),
});
const metric = z.strictObject({
  name: z.string(),
  description: z.string(),
  unit: z.enum(["J", "W"]),
  sum: z
    .strictObject({
      dataPoints: z.array(dataPoint).min(1),
      aggregationTemporality: z.literal(2),
      isMonotonic: z.literal(true),
    })
    .optional(),
  gauge: z.strictObject({ dataPoints: z.array(dataPoint).min(1) }).optional(),
});
const metricsRequest = z.strictObject({
  resourceMetrics: z.array(
    z.strictObject({
      resource,
      scopeMetrics: z.array(z.strictObject({ scope, metrics: z.array(metric) })),
    }),
  ),
});
const tracesRequest = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource,
      scopeSpans: z.array(
        z.strictObject({
          scope,
          spans: z.array(
            z.strictObject({
              traceId: z.string().regex(/^[0-9a-f]{32}$/),
              spanId: z.string().regex(/^[0-9a-f]{16}$/),
              parentSpanId: z
                .string()
                .regex(/^[0-9a-f]{16}$/)
                .optional(),
              name: z.string(),
              kind: z.literal(1),
              startTimeUnixNano: int64,
              endTimeUnixNano: int64,
              attributes,
              status: z.strictObject({ code: z.union([z.literal(1), z.literal(2)]) }).optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});
const json = (value: object): unknown => JSON.parse(JSON.stringify(value));
const metricsOf = (card: Card) =>
  metricsRequest.parse(json(otlpMetrics([card]))).resourceMetrics[0]?.scopeMetrics[0]?.metrics ??
  [];
const spansOf = (card: Card) =>
  tracesRequest.parse(json(otlpTraces([card]))).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];

describe("OTLP", () => {
  test("hw.energy is a counter of each component with the convention's hw.type", () => {
    const energy = metricsOf(richCard()).find(({ name }) => name === "hw.energy");
    const points = energy?.sum?.dataPoints ?? [];
    expect(points.map(({ asDouble }) => asDouble)).toEqual([9790, 2310, 300]);
    const types = points.map(({ attributes: list }) => list.find(({ key }) => key === "hw.type"));
    expect(types.map((type) => type?.value)).toEqual([
      { stringValue: "gpu" },
      { stringValue: "cpu" },
      { stringValue: "memory" },
    ]);
    expect(points[0]?.startTimeUnixNano).toBe("1795401011000000000");
  });

  test("the whole host has metrics of its own, so that nobody adds it to its parts", () => {
    const [component] = exampleCard().components;
    if (component === undefined) throw new Error("the example has a component");
    const card = exampleCard({ components: [component, { ...component, domain: "machine" }] });
    expect(metricsOf(card).map(({ name }) => name)).toEqual([
      "hw.energy",
      "hw.power",
      "hw.host.energy",
    ]);
  });

  test("a gap in the power has no point", () => {
    const series = { domain: "cpu", device: "p", timesS: [0, 1, 2], watts: [5, null, 7] };
    const power = metricsOf(exampleCard({ series: [series] })).find(
      ({ name }) => name === "hw.power",
    );
    expect(power?.gauge?.dataPoints.map(({ asDouble }) => asDouble)).toEqual([5, 7]);
    expect(power?.gauge?.dataPoints[1]?.timeUnixNano).toBe("1767225602000000000");
  });

  test("spans hang below their parents, and a run sent twice has the same ids", () => {
    const spans = spansOf(richCard());
    expect(spans.map(({ name }) => name).slice(0, 3)).toEqual([
      "python train.py --epochs 3",
      "load data",
      "train",
    ]);
    expect(spans[3]?.parentSpanId).toBe(spans[2]?.spanId);
    expect(spans[1]?.parentSpanId).toBe(spans[0]?.spanId);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(spansOf(richCard())).toEqual(spans);
    expect(spans[0]?.attributes).toContainEqual({
      key: "godwit.energy_attributed_j",
      value: { doubleValue: 11_160 },
    });
  });

  test("is valid for cards that know nothing and for hostile ones", () => {
    expect(metricsOf(poorCard())).toEqual([]);
    for (const text of HOSTILE) {
      metricsOf(hostileCard(text));
      expect(JSON.stringify(spansOf(hostileCard(text)))).not.toContain("\\ud800");
    }
  });
});

const alpha3 = (code: string) => ({ DE: "DEU", FR: "FRA" })[code];

describe("CodeCarbon's CSV", () => {
  test("is in kg and kWh under CodeCarbon's own heading", () => {
    const { text } = renderCodeCarbon([exampleCard()], alpha3);
    expect(text.split("\n")[0]).toBe(CODECARBON_COLUMNS.join(","));
    const [row] = parseCsvTable(text);
    // 4500 J / 3.6e6, and 0.475 g / 1000.
    expect(Number(row?.["energy_consumed"])).toBeCloseTo(0.00125, 12);
    expect(Number(row?.["emissions"])).toBeCloseTo(0.000475, 12);
    expect(row).toMatchObject({ country_iso_code: "DEU", country_name: "Germany", pue: "" });
    expect(row?.["timestamp"]).toBe("2026-01-01T00:01:00");
  });

  test("a run without energy is left out and named, not written as 0 kWh", () => {
    const { text, skipped } = renderCodeCarbon([poorCard({ id: "poor" })], alpha3);
    expect(skipped).toEqual(["poor"]);
    expect(parseCsvTable(text)).toEqual([]);
  });

  test("a name that a spreadsheet would run is not run", () => {
    const card = exampleCard({ subject: { kind: "command", name: '=HYPERLINK("x")', tags: {} } });
    const [row] = parseCsvTable(renderCodeCarbon([card], alpha3).text);
    expect(row?.["project_name"]).toBe('\'=HYPERLINK("x")');
  });
});

// Boavizta/BoAmps, model/report_schema.json with the schemas it refers to: what is required, and the
// values that it enumerates.
const boamps = z.object({
  header: z.object({ reportDatetime: z.string(), reportStatus: z.enum(["draft", "final"]) }),
  task: z.object({
    taskStage: z.string(),
    taskFamily: z.string(),
    nbRequest: z.number().optional(),
    algorithms: z.array(z.object({ parametersNumber: z.number().optional() })).min(1),
    dataset: z
      .array(z.object({ dataUsage: z.enum(["input", "output"]), dataType: z.string() }))
      .min(1),
    measuredAccuracy: z.number().min(0).max(1).optional(),
  }),
  measures: z
    .array(z.object({ measurementMethod: z.string(), powerConsumption: z.number() }))
    .min(1),
  system: z.object({ os: z.string() }),
  infrastructure: z.object({
    infraType: z.enum(["publicCloud", "privateCloud", "onPremise", "other"]),
    components: z
      .array(
        z.object({
          componentType: z.string(),
          nbComponent: z.int(),
          memorySize: z.int().optional(),
        }),
      )
      .min(1),
  }),
  environment: z.object({ country: z.string() }).optional(),
  quality: z.enum(["high", "medium", "low"]),
});

describe("BoAmps", () => {
  test("has what its schema requires, in its units", () => {
    const report = boamps.parse(boampsReport(richCard()));
    expect(report.measures[0]?.powerConsumption).toBeCloseTo(0.0031, 10);
    expect(report.task).toMatchObject({ taskStage: "training", measuredAccuracy: 0.941 });
    expect(report.task.algorithms[0]?.parametersNumber).toBeCloseTo(0.0027, 12);
    expect(report).toMatchObject({ quality: "high", environment: { country: "France" } });
  });

  test("takes from tags what a card cannot know, and refuses what the schema does not", () => {
    const tags = { taskFamily: "chatbot", infraType: "onPremise", dataType: "text" };
    const report = boamps.parse(
      boampsReport(exampleCard({ subject: { kind: "job", name: "x", tags } })),
    );
    expect(report.infrastructure.infraType).toBe("onPremise");
    const wrong = exampleCard({ subject: { kind: "job", name: "x", tags: { infraType: "moon" } } });
    expect(() => boampsReport(wrong)).toThrow("BoAmps knows no infraType");
  });

  test("a run without energy is refused", () => {
    expect(() => boampsReport(poorCard())).toThrow("no energy to report");
  });
});

// Green-Software-Foundation/if, src/common/util/validations.ts: the manifest's schema.
const manifest = z.object({
  name: z.string(),
  aggregation: z.object({
    metrics: z.array(z.string()),
    type: z.enum(["horizontal", "vertical", "both"]),
  }),
  initialize: z.object({
    plugins: z.record(z.string(), z.object({ path: z.string(), method: z.string() })),
  }),
  tree: z.record(z.string(), z.any()),
});

describe("Impact Framework", () => {
  test("the manifest is valid, and its own arithmetic gives the card's emissions", () => {
    const { text } = renderImpactFramework([richCard()]);
    const read = manifest.parse(parse(text));
    const [input] = read.tree["children"]["01K9ZQ3T7M8W2XN5"].inputs;
    expect(input.energy * input["grid/carbon-intensity"]).toBeCloseTo(
      richCard().measures.emissions?.value ?? Number.NaN,
      10,
    );
    expect(input).toMatchObject({ timestamp: "2026-11-23T02:30:11.000Z", duration: 41.2 });
  });

  test("any name comes back as it was", () => {
    fc.assert(
      fc.property(hostileText, (name) => {
        const card = exampleCard({ subject: { kind: "command", name, tags: {} } });
        const read = manifest.parse(parse(renderImpactFramework([card]).text));
        const [input] = read.tree["children"]["example"].inputs;
        expect(input["godwit/name"]).toBe(name.replace(/\p{Cs}/gu, "\ufffd"));
      }),
    );
  });

  test("a run without energy is left out and named", () => {
    expect(renderImpactFramework([poorCard({ id: "poor" })]).skipped).toEqual(["poor"]);
  });
});

describe("a badge", () => {
  test("says value, method, interval and date; an estimate is marked", () => {
    const options = { metric: "energy", per: { count: 1000, noun: "inference" } } as const;
    expect(JSON.parse(badgeEndpoint(exampleCard(), options))).toEqual({
      schemaVersion: 1,
      label: "energy",
      message: "~4.50 J per inference",
      color: "#8a5a00",
    });
    const svg = renderBadge(exampleCard(), options);
    expect(svg).toContain("<title>estimated, 2.75 J to 7.37 J, 90 % interval, 2026-01-01");
    expect(svg).toMatch(/^<svg [^>]*role="img"[^>]*>/);
  });

  test("a figure that the run lacks is refused", () => {
    expect(() => renderBadge(poorCard(), { metric: "energy" })).toThrow("has no energy");
  });

  test("no label becomes markup", () => {
    const tagsOf = (svg: string) => svg.match(/<[^ >]*/g);
    const plain = tagsOf(renderBadge(exampleCard(), { metric: "energy", label: "x" }));
    fc.assert(
      fc.property(hostileText, (label) => {
        const svg = renderBadge(exampleCard(), { metric: "energy", label });
        expect(tagsOf(svg)).toEqual(plain);
        expect(
          JSON.parse(badgeEndpoint(exampleCard(), { metric: "energy", label })).message,
        ).not.toBe("");
      }),
    );
  });
});

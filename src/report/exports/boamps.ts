// A run as a BoAmps report (Boavizta/BoAmps, model/report_schema.json and the schemas it refers to): a
// common format to publish the energy of AI tasks. Energy is in kWh, duration in seconds.
//
// The format requires facts that a card does not have: the family of the task, the kind of data, the
// kind of infrastructure. They are taken from tags (`taskFamily`, `dataType`, `infraType`); without
// them the report says `unknown` or `other`, which the schema allows, and is a draft.

import type { Card } from "../../core/card.ts";
import { type Figure, JOULES_PER_KILOWATT_HOUR, UserError } from "../../core/index.ts";
import { headlineEnergy } from "../headline.ts";

const DATA_TYPES = /^(tabular|audio|boolean|image|video|object|text|token|word|other)$/;
const INFRASTRUCTURES = /^(publicCloud|privateCloud|onPremise|other)$/;

/** The report. Throws UserError for a run without energy, which the format cannot hold. */
export function boampsReport(card: Card): object {
  const headline = headlineEnergy(card);
  if (headline === null) {
    throw new UserError("invalid-input", `run ${card.id} has no energy to report`, {
      hint: "godwit doctor shows what this machine can be measured with.",
    });
  }
  return {
    header: {
      formatVersionSpecificationUri: "https://github.com/Boavizta/BoAmps/tree/main/model",
      reportId: card.id,
      reportDatetime: dateTime(card.endedAt),
      reportStatus: "draft",
    },
    task: taskOf(card),
    measures: [measureOf(card, headline.figure)],
    system: { os: card.machine.platform, distributionVersion: card.machine.release },
    infrastructure: {
      infraType: tagOf(card, "infraType", INFRASTRUCTURES) ?? "other",
      components: componentsOf(card),
    },
    ...environmentOf(card),
    quality: qualityOf(headline.figure),
  };
}

/** The report as a file, with a line feed at its end. */
export const renderBoamps = (card: Card): string =>
  `${JSON.stringify(boampsReport(card), null, 2)}\n`;

function taskOf(card: Card): object {
  const { subject, quality, measures } = card;
  const stage = { training: "training", inference: "inference" } as const;
  const isShare = quality !== undefined && /accuracy/i.test(quality.metric);
  const isInference = subject.kind === "inference";
  return {
    taskStage: card.subject.tags["taskStage"] ?? Reflect.get(stage, subject.kind) ?? "unknown",
    taskFamily: subject.tags["taskFamily"] ?? "unknown",
    ...(isInference && quality?.samples !== undefined ? { nbRequest: quality.samples } : {}),
    algorithms: [
      measures.parameters === undefined
        ? {}
        : { parametersNumber: measures.parameters.value / 1e9 },
    ],
    dataset: [{ dataUsage: "input", dataType: tagOf(card, "dataType", DATA_TYPES) ?? "other" }],
    ...(isShare && quality.value >= 0 && quality.value <= 1
      ? { measuredAccuracy: quality.value }
      : {}),
    taskDescription: subject.name,
  };
}

function measureOf(card: Card, energy: Figure<"J">): object {
  const mode = (domain: string) =>
    card.components.find((component) => component.domain === domain)?.provider;
  const [cpu, gpu] = [mode("cpu"), mode("gpu")];
  return {
    measurementMethod: `godwit (${energy.method})`,
    version: card.godwit.version,
    ...(cpu === undefined ? {} : { cpuTrackingMode: cpu }),
    ...(gpu === undefined ? {} : { gpuTrackingMode: gpu }),
    unit: "kWh",
    powerConsumption: energy.value / JOULES_PER_KILOWATT_HOUR,
    measurementDuration: card.measures.duration.value,
    measurementDateTime: dateTime(card.startedAt),
  };
}

function componentsOf({ machine }: Card): readonly object[] {
  const counts = new Map<string, number>();
  for (const { name } of machine.gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [
    {
      componentName: machine.cpu.name,
      componentType: "cpu",
      nbComponent: machine.cpu.sockets ?? 1,
    },
    ...[...counts].map(([componentName, nbComponent]) => ({
      componentName,
      componentType: "gpu",
      nbComponent,
    })),
    {
      componentType: "ram",
      nbComponent: 1,
      memorySize: Math.round(machine.memoryBytes / 1e9),
    },
  ];
}

/** The country is required where there is an environment, so an unknown place has none. */
function environmentOf({ signal }: Card): object {
  const [, country] = /^([A-Z]{2})(?:-|$)/.exec(signal?.zone ?? "") ?? [];
  if (signal === undefined || country === undefined) return {};
  return {
    environment: {
      country: new Intl.DisplayNames(["en"], { type: "region" }).of(country) ?? country,
      ...(signal.zone === country ? {} : { location: signal.zone }),
      powerSourceCarbonIntensity: signal.intensity.value,
    },
  };
}

/** The format's own words: high is within 10 %, medium within 25 %, low beyond. */
function qualityOf({ value, low, high }: Figure<"J">): "high" | "medium" | "low" {
  const error = value === 0 ? 1 : Math.max(value - low, high - value) / value;
  if (error <= 0.1) return "high";
  return error <= 0.25 ? "medium" : "low";
}

/** A tag whose value the schema knows; another value is refused rather than dropped. */
function tagOf({ id, subject }: Card, name: string, allowed: RegExp): string | undefined {
  const value = subject.tags[name];
  if (value === undefined || allowed.test(value)) return value;
  const words = allowed.source.replace(/[\^()$]/g, "").replaceAll("|", ", ");
  throw new UserError("invalid-input", `run ${id}: BoAmps knows no ${name} "${value}"`, {
    hint: `It knows ${words}.`,
  });
}

/** `YYYY-MM-DD HH:MM:SS`, UTC. */
const dateTime = (instant: string): string => instant.slice(0, 19).replace("T", " ");

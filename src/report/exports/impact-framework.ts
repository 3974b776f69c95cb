// Runs as a manifest of the Green Software Foundation's Impact Framework (grnsft/if 1.0), to be computed
// with `if-run --manifest`. Each run is a child with one observation; energy is in kWh. The pipeline
// multiplies energy and grid intensity, so that the framework arrives at the card's emissions itself.

import { stringify } from "yaml";
import type { Card } from "../../core/card.ts";
import { JOULES_PER_KILOWATT_HOUR } from "../../core/index.ts";
import { headlineEnergy } from "../headline.ts";
import { wellFormed } from "./well-formed.ts";

const SUM = { time: "sum", component: "sum" } as const;
const MEAN = { time: "avg", component: "avg" } as const;

/** Plug-ins of the framework itself, with what is known of their parameters. */
const PLUGINS = {
  "operational-carbon": {
    path: "builtin",
    method: "Multiply",
    config: {
      "input-parameters": ["energy", "grid/carbon-intensity"],
      "output-parameter": "carbon-operational",
    },
    "parameter-metadata": {
      inputs: {
        energy: {
          unit: "kWh",
          description: "energy of the run at its headline boundary",
          "aggregation-method": SUM,
        },
        "grid/carbon-intensity": {
          unit: "gCO2e/kWh",
          description: "carbon intensity of the grid",
          "aggregation-method": MEAN,
        },
      },
      outputs: {
        "carbon-operational": {
          unit: "gCO2e",
          description: "operational emissions",
          "aggregation-method": SUM,
        },
      },
    },
  },
} as const;

/** The manifest as YAML; `skipped` are the ids of runs without energy or carbon intensity. */
export function renderImpactFramework(cards: readonly Card[]): {
  readonly text: string;
  readonly skipped: readonly string[];
} {
  const children = cards.flatMap((card) => {
    const child = childOf(card);
    return child === null ? [] : [[card.id, child] as const];
  });
  const known = new Set(children.map(([id]) => id));
  const manifest = {
    name: "godwit",
    description: "energy that godwit measured or estimated; see each run's method",
    tags: { kind: "software", category: "ai" },
    aggregation: { metrics: ["carbon-operational"], type: "both" },
    initialize: { plugins: PLUGINS },
    tree: { children: Object.fromEntries(children) },
  };
  return {
    // Version 1.1 quotes what older readers take for booleans (`no`, `on`).
    text: stringify(manifest, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false }),
    skipped: cards.filter(({ id }) => !known.has(id)).map(({ id }) => id),
  };
}

function childOf(card: Card): object | null {
  const headline = headlineEnergy(card);
  if (headline === null || card.signal === undefined) return null;
  const { figure, boundary } = headline;
  return {
    pipeline: { compute: ["operational-carbon"] },
    inputs: [
      {
        timestamp: card.startedAt,
        duration: card.measures.duration.value,
        "godwit/name": wellFormed(card.subject.name),
        "godwit/boundary": boundary,
        "godwit/scope": card.boundary.scope,
        "godwit/method": figure.method,
        energy: figure.value / JOULES_PER_KILOWATT_HOUR,
        "grid/carbon-intensity": card.signal.intensity.value,
      },
    ],
  };
}

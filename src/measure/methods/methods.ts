// The peers that godwit knows by name, and how one is found.

import { suggest, UserError } from "../../core/index.ts";
import { boavizta } from "./boavizta.ts";
import { carbontracker } from "./carbontracker.ts";
import { cloudCarbonFootprint } from "./cloud-carbon-footprint.ts";
import { co2js } from "./co2js.ts";
import {
  codeCarbon,
  codeCarbonConstant,
  codeCarbonProcess,
  codeCarbonRapl,
  codeCarbonV2,
} from "./codecarbon.ts";
import { eco2ai } from "./eco2ai.ts";
import { ecologits } from "./ecologits.ts";
import { experimentImpactTracker } from "./experiment-impact-tracker.ts";
import { ga4hpc } from "./ga4hpc.ts";
import { greenAlgorithms } from "./green-algorithms.ts";
import { greennessToolkit } from "./greenness-toolkit.ts";
import { impactFramework } from "./impact-framework.ts";
import type { Method } from "./method.ts";
import { mlco2 } from "./mlco2.ts";
import { strubell } from "./strubell.ts";

/** Every method, in the order in which lists show them. */
export const METHODS: readonly Method[] = [
  greenAlgorithms,
  ga4hpc,
  codeCarbon,
  codeCarbonProcess,
  codeCarbonConstant,
  codeCarbonRapl,
  codeCarbonV2,
  carbontracker,
  greennessToolkit,
  mlco2,
  eco2ai,
  experimentImpactTracker,
  cloudCarbonFootprint,
  impactFramework,
  boavizta,
  ecologits,
  strubell,
  co2js,
];

/** The method of a name. Throws UserError with the nearest name when there is none. */
export function findMethod(name: string): Method {
  const wanted = name.trim().toLowerCase();
  const found = METHODS.find((method) => method.name === wanted);
  if (found !== undefined) return found;
  const names = METHODS.map((method) => method.name);
  const near = suggest(wanted, names);
  throw new UserError("invalid-input", `no method is called ${name}`, {
    hint: near === null ? `There is: ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

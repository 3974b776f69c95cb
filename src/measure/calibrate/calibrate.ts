// A calibration from its steps to the profile that is kept: what `godwit calibrate` does beside talking.

import type { Machine } from "../../core/card.ts";
import type { Host, Origin } from "../../core/index.ts";
import { type Sensor, type SensorProvider, survey } from "../sensors/index.ts";
import { fitMachine } from "./fit.ts";
import { PROFILE_SCHEMA, type Profile } from "./profile.ts";
import { type ProtocolOptions, runSteps } from "./protocol.ts";
import { provenance } from "./stored.ts";
import { METER_NAMES, type Truth } from "./truth.ts";

export interface CalibrationOptions extends Omit<ProtocolOptions, "threads"> {
  readonly machine: Machine;
  /** Wall watts per watt of a GPU, by the machine's class. */
  readonly besidesFactor: number;
  /** Of godwit. */
  readonly version: string;
}

/** Readings that make the mean of a step. */
const LEAST_READINGS = 3;

/** Sensors that a later run without a meter counts here: of components or of the platform. */
export async function componentSensors(
  host: Host,
  providers: readonly SensorProvider[],
): Promise<readonly Sensor[]> {
  const behind = providers.filter(({ name }) => !METER_NAMES.includes(name));
  const { sensors } = await survey(host, behind);
  return sensors.flatMap(({ sensor, counted }) => (counted ? [sensor] : []));
}

/** Runs the steps and fits the machine. Throws UserError with the reason when nothing is believable. */
export async function calibrate(options: CalibrationOptions): Promise<Profile> {
  const { host, machine, truth, components, version } = options;
  const steps = await runSteps({ ...options, threads: machine.cpu.threads });
  const calibratedAt = new Date(host.wall()).toISOString();
  // GPUs alone do not tell what the processor draws.
  const isCovered = components.some(({ domain }) => domain === "cpu" || domain === "machine");
  const told = isCovered ? steps : steps.map((step) => ({ ...step, components: null }));
  const fit = fitMachine(told, {
    truth,
    origin: originOf(truth),
    leastReadings: truth.kind === "typed" ? 1 : LEAST_READINGS,
    besidesFactor: options.besidesFactor,
    tolerant: options.tolerant,
  });
  const { supply, curve, residual, notices } = fit;
  const { kind, label, error, resolution } = truth;
  const bare: Profile = {
    schema: PROFILE_SCHEMA,
    calibratedAt,
    version,
    release: machine.release,
    machine: {
      id: machine.id,
      cpuName: machine.cpu.name,
      threads: machine.cpu.threads,
      memoryBytes: machine.memoryBytes,
    },
    truth: { kind, label, error, resolution },
    steps,
    supply: supply && { ...supply, sensors: components.map(({ id }) => id).toSorted() },
    curve,
    residual,
    notices,
  };
  return withSource(bare, provenance(bare));
}

const originOf = ({ label }: Truth): Origin => ({ method: "estimated", source: label });

/** The residual is known after the fit, so the figures learn where they are from last. */
function withSource(profile: Profile, source: string): Profile {
  const { supply, curve } = profile;
  const told = <T extends object>(figure: T): T => ({ ...figure, source });
  return {
    ...profile,
    supply: supply && { ...supply, factor: told(supply.factor), base: told(supply.base) },
    curve: curve && {
      ...curve,
      idle: told(curve.idle),
      full: told(curve.full),
      shape: told(curve.shape),
    },
  };
}

// What has to be known before anything is measured here: the machine, its sensors and which of them
// count, what the subject may use, the grid behind the plug. Found once, used by many runs.

import type { Card, Machine, Signal } from "../../core/card.ts";
import { exact, type Figure, type Host } from "../../core/index.ts";
import { cloudRegionOf, locate, providerPue, pueOf } from "../carbon/index.ts";
import { type EstimatePlan, model, planEstimate } from "../estimate/index.ts";
import { type SensorProvider, type Survey, survey } from "../sensors/index.ts";
import type { FootprintFactors } from "./footprint.ts";
import { machineFactors } from "./footprint-factors.ts";
import { identifyMachine } from "./identity.ts";
import { type Place, placeOf } from "./leader.ts";
import { type SubjectLimits, subjectLimits } from "./limits.ts";
import type { SensorRecord, StartRecord, WallModel } from "./record.ts";
import { chooseSupply } from "./supply.ts";
import { surveyNotices } from "./survey-notices.ts";

export interface SetupOptions {
  readonly providers: readonly SensorProvider[];
  /** Found by location ladder when absent. */
  readonly signal?: Signal;
  /** That of the machine's class when absent. */
  readonly pue?: Figure<"1">;
  /** Factors of water, hardware and cost that were declared; the machine's own fill the rest. */
  readonly footprint?: FootprintFactors;
  /** How components become wall power; this machine's calibration, else its class's model when absent. */
  readonly wall?: WallModel;
}

export interface Setup {
  readonly machine: Machine;
  readonly survey: Survey;
  readonly limits: SubjectLimits;
  readonly signal: Signal;
  readonly pue: Figure<"1">;
  /** Null for a guest, whose supply is not its own, and where the class is not known. */
  readonly wall: WallModel | null;
  readonly footprint: FootprintFactors;
  /** Idle power of sensors that are models, by their ids. */
  readonly idle: StartRecord["idle"];
  /** What to know of the models that were chosen. */
  readonly notices: readonly string[];
}

/** Looks at this machine. Throws UserError when a shipped table cannot be read. */
export async function setUp(host: Host, options: SetupOptions): Promise<Setup> {
  const [machine, found, signal, plan] = await Promise.all([
    identifyMachine(host),
    survey(host, options.providers),
    options.signal ?? locate(host),
    // Without its tables the class is not known; sensors serve all the same.
    planEstimate(host).catch(() => null),
  ]);
  const supply = chooseSupply(found, plan);
  const personal = isPersonal(host, plan);
  const guest = plan?.machine.machine === "guest";
  const factors = machineFactors(host, { machine, personal, guest, zone: signal.zone });
  const size = { threads: machine.cpu.threads, memoryBytes: machine.memoryBytes };
  return {
    machine,
    survey: options.wall === undefined ? supply.survey : found,
    limits: await subjectLimits(host, size),
    signal,
    pue: options.pue ?? (await defaultPue(host, personal)),
    wall: options.wall ?? supply.wall,
    footprint: { ...(await factors.catch(() => ({}))), ...options.footprint },
    idle: modelledIdle(found, plan),
    notices: options.wall === undefined ? supply.notices : [],
  };
}

/** The provider's own figure in a cloud that the environment proves, else what the machine suggests. */
async function defaultPue(host: Host, personal: boolean): Promise<Figure<"1">> {
  const cloud = cloudRegionOf(host.env);
  const published = cloud === null ? null : await providerPue(host, cloud.provider, cloud.region);
  return published ?? pueOf({ personal });
}

function modelledIdle({ sensors }: Survey, plan: EstimatePlan | null): StartRecord["idle"] {
  const known = sensors.flatMap(({ sensor }) => {
    const part = plan?.parts.find(({ domain }) => domain === sensor.domain);
    return sensor.provider !== model.name || part === undefined
      ? []
      : [[sensor.id, part.power(0)] as const];
  });
  return Object.fromEntries(known);
}

/** A desktop or a laptop that no batch system and no cluster lends out. */
function isPersonal({ env }: Host, plan: EstimatePlan | null): boolean {
  const isLent = ["SLURM_JOB_ID", "KUBERNETES_SERVICE_HOST"].some(
    (name) => env[name] !== undefined,
  );
  const kind = plan?.machine.machine ?? "desktop";
  return !isLent && (kind === "desktop" || kind === "laptop");
}

/** What a run says of itself when it starts, beside what its setup says. */
export interface RunFacts
  extends Pick<StartRecord, "id" | "startedAt" | "pid" | "pidStart" | "interval" | "cpuTime"> {
  /** Idle power that was measured for this run, by sensor id. */
  readonly idle: StartRecord["idle"];
  readonly subject: Card["subject"];
  readonly version: string;
  readonly notices: readonly string[];
}

/** The first line of a run. */
export function startRecord(host: Host, setup: Setup, facts: RunFacts): StartRecord {
  const { machine, limits, wall, footprint } = setup;
  const place = placeOf(host, machine.id);
  const isLimited = limits.memoryBytes < machine.memoryBytes;
  return {
    type: "start",
    schema: "godwit.segment/1",
    ...facts,
    idle: { ...setup.idle, ...facts.idle },
    subject: nestedSubject(facts.subject, place),
    sensors: setup.survey.sensors.map((ranked) => sensorRecord(ranked, place)),
    machine,
    signal: setup.signal,
    pue: setup.pue,
    idleShare: idleShareOf(setup, place),
    footprint,
    threads: limits.threads,
    ...(isLimited ? { memoryLimit: limits.memoryBytes } : {}),
    ...(wall === null ? {} : { wall }),
    ...(place.kind === "rank" ? { claim: "own-share" } : {}),
    notices: [
      ...facts.notices,
      ...(place.kind === "alone" ? [] : [place.notice]),
      ...setup.notices,
      ...surveyNotices(setup.survey),
    ],
  };
}

function sensorRecord(
  { sensor, counted, fallbacks }: Survey["sensors"][number],
  place: Place,
): SensorRecord {
  const { id, provider, domain, device, scope, kind, method, source, error } = sensor;
  const { shortWindow, updatePeriod, maxPower } = sensor;
  const isLeft = place.kind === "rank" && !place.ownsGpus && domain === "gpu" && counted;
  return {
    ...{ id, provider, domain, device, scope, kind, method, source, error },
    ...(shortWindow === undefined ? {} : { shortWindow }),
    ...(updatePeriod === undefined ? {} : { updatePeriod }),
    ...(maxPower === undefined ? {} : { maxPower }),
    counted: counted && !isLeft,
    fallbacks: isLeft ? ["counted by rank 0 of this node"] : fallbacks,
  };
}

/** Reserved part of the machine: processors that the subject may use over all there are. */
function idleShareOf({ machine, limits }: Setup, place: Place): Figure<"1"> {
  if (place.kind === "rank") {
    return exact("1", 0, { method: "declared", source: "idle energy is on the card of rank 0" });
  }
  const source =
    limits.threads < machine.cpu.threads
      ? `reserved: ${limits.threads} of ${machine.cpu.threads} processors (${limits.reasons.join("; ")})`
      : "reserved: the whole machine, since nothing limits the subject";
  return exact("1", limits.threads / machine.cpu.threads, { method: "declared", source });
}

/** A run inside another carries its name, so that sums over cards can leave it out. */
function nestedSubject(subject: Card["subject"], place: Place): Card["subject"] {
  if (place.kind !== "nested") return subject;
  return { ...subject, tags: { ...subject.tags, inside: place.parent } };
}

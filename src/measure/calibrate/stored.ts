// Where a machine's profile lies, and whether it still is this machine's. In the user's configuration
// folder (XDG Base Directory Specification), by machine and not by project: a calibration is a fact
// of the machine, and outlives the ledgers in its projects.

import type { Machine } from "../../core/card.ts";
import { type Host, readTextIfPresent, reasonOf } from "../../core/index.ts";
import { identifyMachine } from "../run/identity.ts";
import type { Profile } from "./profile.ts";

/** What a profile says of the machine that asks. */
export type StoredProfile =
  | { readonly status: "none" }
  | { readonly status: "ignored"; readonly reason: string }
  | { readonly status: "used"; readonly profile: Profile };

/** Days after which dust, ageing and new firmware have made another machine of it. */
const OLDEST_DAYS = 365;
/** What kernels reserve of the memory differs by their versions; a module more does not. */
const MEMORY_TOLERANCE = 0.05;
const DAY_MS = 86_400_000;

/** The file of a machine's profile; null where there is no home folder. */
export function profilePath({ env, facts }: Host, machineId: string): string | null {
  const folder =
    env["XDG_CONFIG_HOME"] || (facts.homeDirectory && `${facts.homeDirectory}/.config`);
  return folder ? `${folder}/godwit/profiles/${machineId}.json` : null;
}

/** This machine's profile, if there is one that still holds. */
export async function storedProfile(host: Host, known?: Machine): Promise<StoredProfile> {
  const machine = known ?? (await identifyMachine(host));
  const path = profilePath(host, machine.id);
  if (path === null) return { status: "none" };
  try {
    const text = await readTextIfPresent(host, path);
    if (text === null) return { status: "none" };
    // The schema library is not loaded by those who have no profile.
    const { parseProfile } = await import("./profile.ts");
    const profile = parseProfile(text, path);
    const reason = staleReason(profile, machine, host.wall());
    return reason === null ? { status: "used", profile } : { status: "ignored", reason };
  } catch (error) {
    return { status: "ignored", reason: reasonOf(error) };
  }
}

/** Why a profile does not hold for a machine at a moment (milliseconds since 1970); null if it does. */
export function staleReason(profile: Profile, machine: Machine, now: number): string | null {
  const { cpuName, memoryBytes, threads, id } = profile.machine;
  const age = (now - Date.parse(profile.calibratedAt)) / DAY_MS;
  if (id !== machine.id) return "it is another machine's";
  if (age > OLDEST_DAYS) return `it is ${Math.floor(age)} days old`;
  if (cpuName !== machine.cpu.name || threads !== machine.cpu.threads) {
    return `the processor was ${cpuName} with ${threads} threads then`;
  }
  if (Math.abs(memoryBytes / machine.memoryBytes - 1) > MEMORY_TOLERANCE) {
    return `the memory was ${(memoryBytes / 1e9).toFixed(1)} GB then`;
  }
  return null;
}

/** One sentence on where a number of a profile is from. */
export function provenance({ calibratedAt, truth, residual }: Profile): string {
  const share = (100 * residual.mean).toFixed(1);
  return `calibrated ${calibratedAt.slice(0, 10)} against ${truth.label}, residual ${share} %`;
}

// Changing power limits so that they are put back whatever happens: as they were is on the disk before the
// first is changed, and goes once they are back. What a killed run left is put back by the next, or by
// `--restore`.

import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Host, hostErrorCode, UserError } from "../../core/index.ts";
import { isGone, processStart } from "../../measure/run/liveness.ts";
import { type PowerDevice, parseSavedLimits, restoreLimits, type SavedLimits } from "./limits.ts";

export interface GuardOptions {
  readonly host: Host;
  /** Where limits are kept as they were. */
  readonly path: string;
  /** Reads the devices, with their limits as they are at that moment. */
  readonly devices: () => Promise<readonly PowerDevice[]>;
  readonly onNotice: (text: string) => void;
}

export interface LimitGuard {
  readonly devices: readonly PowerDevice[];
  /** Sets all devices. */
  set(watts: number): Promise<void>;
  /** Puts all back. Safe to call twice. */
  release(): Promise<void>;
}

/** Takes the limits into its care. Throws UserError while another process has them. */
export async function guardLimits(options: GuardOptions): Promise<LimitGuard> {
  const { host, path } = options;
  await restoreLeft(options);
  // Read only now: before, they may have been what a killed run had set.
  const devices = await options.devices();
  const saved: SavedLimits = {
    schema: "godwit.limits/1",
    savedAt: new Date(host.wall()).toISOString(),
    ...{ pid: host.pid, pidStart: await processStart(host, host.pid) },
    devices: devices.map(({ id, current }) => ({ id, watts: current })),
  };
  let isKept = false;
  return {
    devices,
    async set(watts) {
      if (!isKept) await keep(path, saved);
      isKept = true;
      for (const device of devices) await device.set(watts);
    },
    async release() {
      if (isKept) await putBack(options, saved);
      isKept = false;
    },
  };
}

/**
 * Puts back what a process left that is no longer there. Gives back whether there was anything. Throws
 * UserError while the process lives.
 */
export async function restoreLeft(options: GuardOptions): Promise<boolean> {
  const saved = await leftBehind(options.path);
  if (saved === null) return false;
  const isOwn = saved.pid === options.host.pid;
  if (!isOwn && !(await isGone(options.host, saved)))
    throw new UserError("denied", `process ${saved.pid} is tuning power limits of this machine`, {
      hint: `Let it end. If it is not a tuner, remove ${options.path}.`,
    });
  options.onNotice(
    `putting back the power limits of ${saved.savedAt}, left by process ${saved.pid}`,
  );
  await putBack(options, saved);
  return true;
}

async function leftBehind(path: string): Promise<SavedLimits | null> {
  try {
    return parseSavedLimits(await readFile(path, "utf8"), path);
  } catch (error) {
    if (hostErrorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** The file stays until every device is back. */
async function putBack(
  { devices, path, onNotice }: GuardOptions,
  saved: SavedLimits,
): Promise<void> {
  const faults = await restoreLimits(await devices(), saved);
  for (const fault of faults) onNotice(fault);
  if (faults.length === 0) await rm(path, { force: true });
  else
    throw new UserError("denied", "not all power limits could be put back", {
      hint: `Try: sudo godwit tune-training --restore. They are kept in ${path}.`,
    });
}

/** On the disk once resolved. */
async function keep(path: string, saved: SavedLimits): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${saved.pid}`;
  const file = await open(unfinished, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(saved));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

// Power limits of devices, and what must be kept so that they can be put back: whoever lowers a limit and is
// killed leaves a slower machine behind.

import { z } from "zod";
import { UserError } from "../../core/index.ts";

/** A device whose power limit can be set. */
export interface PowerDevice {
  /** Kind and number, such as `gpu 0` or `package 0`. */
  readonly id: string;
  /** Watts: what it is limited to now, and between what it may be. */
  readonly current: number;
  readonly least: number;
  readonly most: number;
  /** What would be done, as a person would type it. */
  describe(watts: number): string;
  /** Throws UserError when the system refuses. */
  set(watts: number): Promise<void>;
  /** Joules used so far, from any start; null where the device does not tell. */
  joules(): Promise<number | null>;
}

/** Limits as they were before the first was changed. Kept on the disk before anything is. */
export interface SavedLimits {
  readonly schema: "godwit.limits/1";
  readonly savedAt: string;
  /** Who changed them. */
  readonly pid: number;
  readonly pidStart: string | null;
  readonly devices: readonly { readonly id: string; readonly watts: number }[];
}

const SAVED = z.object({
  schema: z.literal("godwit.limits/1"),
  savedAt: z.string(),
  pid: z.int().positive(),
  pidStart: z.string().nullable(),
  devices: z.array(z.object({ id: z.string(), watts: z.number().positive() })),
});

/** Reads what was kept. Throws UserError when it is something else: nothing is set by guesswork. */
export function parseSavedLimits(text: string, path: string): SavedLimits {
  const parsed = SAVED.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new UserError("invalid-input", `${path} does not hold power limits`, {
    hint: "Set the limits by hand (nvidia-smi -pl WATTS), then remove the file.",
    cause: parsed.error,
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Throws UserError for a limit that a device cannot have; called before any is set. */
export function requireInRange(devices: readonly PowerDevice[], limits: readonly number[]): void {
  for (const { id, least, most } of devices)
    for (const watts of limits)
      if (watts < least || watts > most)
        throw new UserError(
          "usage",
          `--power-limit: ${id} takes ${least} to ${most} W, not ${watts} W`,
          {
            hint: "Give limits within that range.",
          },
        );
}

/** Puts every device back, as far as they are there; gives back what could not be. */
export async function restoreLimits(
  devices: readonly PowerDevice[],
  saved: SavedLimits,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { id, watts } of saved.devices) {
    const device = devices.find((one) => one.id === id);
    try {
      if (device === undefined) throw new Error("it is not there");
      await device.set(watts);
    } catch (error) {
      faults.push(
        `${id} was not put back to ${watts} W: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  return faults;
}

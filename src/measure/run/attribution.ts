// Whose energy is it? Each interval's energy of a sensor is split into four parts that add up to it
// exactly: active and idle, the subject's own and everybody else's.
//
// Active power follows CPU time, as in Kepler (sustainable-computing-io/kepler, "Power Attribution
// Guide"); idle power is a measured baseline, or Kepler's P (1 - u) without one, and is shared by
// what the subject has reserved, as the SCI standard (ISO/IEC 21031:2024) asks. The bounds of the
// split are in `bounds.ts`; docs/methods/attribution.md derives both.

/** Joules of one interval, or of many, by owner and cause. */
export interface Parts {
  readonly ownActive: number;
  readonly ownIdle: number;
  readonly otherActive: number;
  readonly otherIdle: number;
}

export const NO_PARTS: Parts = { ownActive: 0, ownIdle: 0, otherActive: 0, otherIdle: 0 };

/** One interval of a sensor whose power follows activity. */
export interface ActiveInterval {
  readonly joules: number;
  readonly seconds: number;
  /** Busy part of the device, 0 to 1. */
  readonly utilisation: number;
  /** Subject's part of the device's busy time, 0 to 1. */
  readonly share: number;
}

/** Joules of the interval that would have been used had nothing run. */
export function idleEnergy(
  { joules, seconds, utilisation }: Omit<ActiveInterval, "share">,
  idlePower: number | null,
): number {
  if (idlePower === null) return joules * (1 - utilisation);
  return Math.min(joules, idlePower * seconds);
}

/** Splits by activity: active energy by share of busy time, idle energy by `idleShare`. */
export function splitByActivity(
  interval: ActiveInterval,
  idlePower: number | null,
  idleShare: number,
): Parts {
  const idle = idleEnergy(interval, idlePower);
  const active = interval.joules - idle;
  return {
    ownActive: active * interval.share,
    ownIdle: idle * idleShare,
    otherActive: active * (1 - interval.share),
    otherIdle: idle * (1 - idleShare),
  };
}

/**
 * Splits memory by occupation: what is used counts as active, what is reserved beyond as idle.
 * `used` and `reserved` are parts of all memory, 0 to 1.
 */
export function splitByOccupation(joules: number, used: number, reserved: number): Parts {
  const own = Math.max(used, reserved);
  return {
    ownActive: joules * used,
    ownIdle: joules * (own - used),
    otherActive: 0,
    otherIdle: joules * (1 - own),
  };
}

/** The whole of a device that the subject holds alone; its idle energy too. */
export function splitExclusive(joules: number, seconds: number, idlePower: number | null): Parts {
  const idle = idlePower === null ? 0 : Math.min(joules, idlePower * seconds);
  return { ownActive: joules - idle, ownIdle: idle, otherActive: 0, otherIdle: 0 };
}

export function addParts(a: Parts, b: Parts): Parts {
  return {
    ownActive: a.ownActive + b.ownActive,
    ownIdle: a.ownIdle + b.ownIdle,
    otherActive: a.otherActive + b.otherActive,
    otherIdle: a.otherIdle + b.otherIdle,
  };
}

/** Subject's share of active energy, without any idle. */
export const netOf = (parts: Parts): number => parts.ownActive;

/** Subject's active energy and its share of idle. */
export const attributedOf = (parts: Parts): number => parts.ownActive + parts.ownIdle;

export const unattributedOf = (parts: Parts): number => parts.otherActive + parts.otherIdle;

// What every meter of a whole machine has in common: a reading that a running machine cannot have
// is a fault of the meter, not a measurement.

import type { Host } from "../../core/index.ts";

/** Watts. The largest nodes sold draw under 15 kW; more is a wrong unit, or a whole rack. */
const MOST_WATTS = 20_000;

/**
 * A believable power of a machine that is running this code, in watts. Throws otherwise: a meter
 * that answers 0 W is switched off, feeds another machine, or is a BMC that offers the reading and
 * does not fill it in.
 */
export function believable(watts: number, meter: string): number {
  if (!Number.isFinite(watts)) throw new Error(`${meter} gave no number`);
  if (watts <= 0) throw new Error(`${meter} reads ${watts} W, but this machine is running`);
  if (watts > MOST_WATTS) {
    throw new Error(`${meter} reads ${watts} W; is that a value in milliwatts, or of a rack?`);
  }
  return watts;
}

/** A file of sysfs that holds one number. Rejects when it holds anything else. */
export async function readNumber(host: Host, path: string): Promise<number> {
  const text = (await host.readText(path)).trim();
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) throw new Error(`${path} holds ${quoted(text)}`);
  return value;
}

/** Text from outside, shortened and without control characters, for a message. */
export function quoted(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]+/g, " ").trim();
  return JSON.stringify(clean.length > 60 ? `${clean.slice(0, 60)}...` : clean);
}

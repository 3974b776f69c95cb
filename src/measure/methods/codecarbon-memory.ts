// CodeCarbon's two models of memory power: 3 W per 8 GB up to version 2; since version 3 so many watts
// for each of a guessed number of modules (codecarbon/external/ram.py).

/** Watts of memory up to version 2. */
export const memoryPowerV2 = (gigabytes: number): number => (gigabytes * 3) / 8;

const MODULE_SIZES_GB = [128, 64, 32, 16, 8, 4] as const;
const MOST_MODULES = 32;

/** The number of modules that version 3 guesses from a size. */
export function guessedModules(gigabytes: number): number {
  if (gigabytes <= 2) return 1;
  if (gigabytes <= 16) return 2;
  if (gigabytes <= 64) return 4;
  if (gigabytes <= 128) return 8;
  const size = MODULE_SIZES_GB.find((candidate) => candidate <= gigabytes / 8);
  return size === undefined ? 8 : Math.min(Math.ceil(gigabytes / size), MOST_MODULES);
}

/** Modules up to a rank, and the share of a whole module's power that each of them counts. */
const TIERS = [
  { upTo: 4, share: 1 },
  { upTo: 8, share: 0.9 },
  { upTo: 16, share: 0.8 },
  { upTo: MOST_MODULES, share: 0.7 },
] as const;

/** Watts of a module, and the least that any memory takes. */
const MODULE_POWER = {
  x86: { watts: 5, least: 10 },
  arm: { watts: 1.5, least: 3 },
} as const;

/** Watts of memory since version 3. */
export function memoryPowerV3(gigabytes: number, architecture: "x86" | "arm" = "x86"): number {
  const { watts, least } = MODULE_POWER[architecture];
  const modules = guessedModules(gigabytes);
  let counted = 0;
  let below = 0;
  for (const { upTo, share } of TIERS) {
    counted += share * Math.max(Math.min(modules, upTo) - below, 0);
    below = upTo;
  }
  return Math.max(watts * counted, least);
}

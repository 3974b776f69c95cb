// Numbers that know their unit. Base units only (J, W, s, gCO2e, B, L); other units exist in
// parsing and formatting alone.

declare const unit: unique symbol;

/**
 * A number tagged with its unit. Costs nothing at run time.
 *
 * The tag is invariant in `U`: were it not, joules and watts would both be assignable to
 * `Quantity<"J" | "W">` and `total` could mix them.
 */
export type Quantity<U extends string> = number & { readonly [unit]: (unit: U) => U };

/**
 * Every unit that a figure may carry. `1` is a ratio; `gSbe` grams of antimony equivalent (abiotic
 * depletion); `money` is of a currency that is named beside the figure.
 */
export type Unit =
  | "J"
  | "W"
  | "s"
  | "gCO2e"
  | "gCO2e/kWh"
  | "B"
  | "L"
  | "L/kWh"
  | "MAC"
  | "FLOP"
  | "parameters"
  | "gSbe"
  | "money"
  | "money/kWh"
  | "money/tCO2e"
  | "1";

export type Joules = Quantity<"J">;
export type Watts = Quantity<"W">;
export type Seconds = Quantity<"s">;
export type GramsCO2e = Quantity<"gCO2e">;
/** Grid carbon intensity, in the unit that grid operators publish. */
export type CarbonIntensity = Quantity<"gCO2e/kWh">;
export type Bytes = Quantity<"B">;
export type Litres = Quantity<"L">;
/** Multiply-accumulate operations: one multiplication and one addition together. */
export type Macs = Quantity<"MAC">;
/** Single floating-point operations. */
export type Flops = Quantity<"FLOP">;
/** A dimensionless number. */
export type Ratio = Quantity<"1">;

export const joules = (value: number): Joules => value as Joules;
export const watts = (value: number): Watts => value as Watts;
export const seconds = (value: number): Seconds => value as Seconds;
export const gramsCO2e = (value: number): GramsCO2e => value as GramsCO2e;
export const carbonIntensity = (value: number): CarbonIntensity => value as CarbonIntensity;
export const bytes = (value: number): Bytes => value as Bytes;
export const litres = (value: number): Litres => value as Litres;
export const macs = (value: number): Macs => value as Macs;
export const flops = (value: number): Flops => value as Flops;
export const ratio = (value: number): Ratio => value as Ratio;

/** Exact: 1 kWh = 1000 W x 3600 s. */
export const JOULES_PER_KILOWATT_HOUR = 3_600_000;

export const kilowattHours = (value: number): Joules => joules(value * JOULES_PER_KILOWATT_HOUR);

export const toKilowattHours = (energy: Joules): number => energy / JOULES_PER_KILOWATT_HOUR;

/** Energy used by a constant power over a duration. */
export const energyOf = (power: Watts, duration: Seconds): Joules => joules(power * duration);

/** Mean power of an energy used over a duration. */
export const meanPowerOf = (energy: Joules, duration: Seconds): Watts => watts(energy / duration);

/** Operational emissions of an amount of electricity. */
export const emissionsOf = (energy: Joules, intensity: CarbonIntensity): GramsCO2e =>
  gramsCO2e(toKilowattHours(energy) * intensity);

/** Sum of quantities of one unit; mixing units does not compile. */
export function total<U extends string>(values: Iterable<Quantity<U>>): Quantity<U> {
  let sum = 0;
  for (const value of values) sum += value;
  return sum as Quantity<U>;
}

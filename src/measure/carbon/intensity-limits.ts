// What the carbon intensity of a grid may be. What is beyond was given in another unit.

/** Above this no grid is known, gCO2e/kWh. */
export const HIGHEST_INTENSITY = 2000;

/** Below this no grid is known either, short of a declared zero: the value is in kg. */
export const LOWEST_INTENSITY = 2;

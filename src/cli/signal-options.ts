// Options by which commands are told where carbon intensities come from, worded once.

import { Option } from "@commander-js/extra-typings";

export const SIGNAL = [
  "--signal <file>",
  "carbon intensities: a file or address (CSV, JSON)",
] as const;

export const ZONE = [
  "--zone <zone>",
  "the grid, as its source spells it: DE, GB, CAISO_NORTH",
] as const;

export const FROM = ["--from <source>", "electricity-maps, watttime, uk or entsoe"] as const;

export const FORECASTER = [
  "--forecaster <name>",
  "forecast from a record: yesterday, week-mean, seasonal",
] as const;

export const OFFLINE = [
  "--offline",
  "use what was kept of a service's answers, however old",
  false,
] as const;

export const kindOption = () =>
  new Option("--kind <kind>", "of a file: what its values are").choices([
    "average",
    "marginal",
  ] as const);

export const basisOption = () =>
  new Option("--basis <basis>", "of a file: what its values are").choices([
    "location",
    "market",
  ] as const);

export { COUNTRY_SOURCE, type Country, findCountry, loadCountries } from "./country-table.ts";
export { type LocateOptions, locate } from "./locate.ts";
export { type PueOptions, pueOf } from "./pue.ts";

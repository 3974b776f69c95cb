// The machine's time zone by its name in the IANA database.

import { readlinkSync } from "node:fs";

/** Area and place, as in Europe/Berlin or Etc/UTC; offsets such as CET-1CEST are something else. */
const NAME = /^[A-Z][A-Za-z_]*(\/[A-Za-z_+-][A-Za-z0-9_+-]*)+$/;

const LOCALTIME = "/etc/localtime";

/**
 * Where the zone is told plainly (TZ, or the link that systems keep at /etc/localtime), it is read
 * there: `Intl` has to load 8 MB of tables for the same answer.
 */
export function systemTimeZone(
  env: Readonly<Record<string, string | undefined>> = process.env,
  link: string = LOCALTIME,
): string {
  const named = env["TZ"] === undefined ? linkedZone(link) : env["TZ"].replace(/^:/, "");
  if (named !== null && NAME.test(named)) return named;
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function linkedZone(link: string): string | null {
  try {
    const [, name = null] = readlinkSync(link).split("/zoneinfo/");
    return name;
  } catch {
    // No link: a copy of the zone's file, or not Linux or macOS.
    return null;
  }
}

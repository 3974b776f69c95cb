// What a card must say of the sensors that answered and of those that did not, so that half of a machine
// never passes for the whole, nor a counter inside for the meter that was asked for.

import type { Survey } from "../sensors/index.ts";

/** Providers that are asked only where a person named a meter. */
const ASKED_FOR = ["external-meter", "redfish"];

/** Notices on the sensors of a run. A machine without a wall sensor is the usual case and not told. */
export function surveyNotices(survey: Survey): string[] {
  return [...uncovered(survey), ...missing(survey), ...unread(survey)];
}

/** Domains without any sensor, where others have one. */
function uncovered({ uncovered, sensors }: Survey): string[] {
  if (!sensors.some(({ counted }) => counted)) return [];
  return uncovered
    .filter(({ domain }) => domain !== "machine")
    .map(({ domain, reasons }) => `no ${domain} energy is included: ${reasons.join("; ")}`);
}

/** Parts of the machine that a counted provider should cover and does not. */
function missing({ found, sensors }: Survey): string[] {
  return found.flatMap(({ provider, probe }) => {
    const counts = sensors.some(({ sensor, counted }) => counted && sensor.provider === provider);
    const parts = counts && probe.status === "ready" ? (probe.missing ?? []) : [];
    return parts.map((text) => `${provider} does not cover all of the machine: ${text}`);
  });
}

/** A meter that was asked for and cannot be read; what answers in its place is inside the machine. */
function unread({ found }: Survey): string[] {
  return found.flatMap(({ provider, probe }) =>
    ASKED_FOR.includes(provider) && probe.status === "denied"
      ? [`the meter that was asked for is not read: ${probe.reason}`]
      : [],
  );
}

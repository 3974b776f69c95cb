// A card of a run that godwit did not see. What the other tool did not tell is said to be unknown; the
// id comes from the tool's own, so that a file that is imported again replaces its cards.

import { type Card, type Component, type Machine, parseCard } from "../../core/card.ts";
import { CARD_SCHEMA } from "../../core/card-version.ts";
import { exact, type Figure, UserError } from "../../core/index.ts";

export interface Imported {
  /** Of the tool, such as `slurm-4711`; what an id cannot hold is replaced. */
  readonly id: string;
  readonly kind: Card["subject"]["kind"];
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly status?: Card["status"];
  /** Milliseconds since 1970 UTC. */
  readonly from: number;
  readonly seconds: number;
  /** Who told the time. */
  readonly clock: string;
  readonly energy: Figure<"J"> | null;
  readonly emissions?: Figure<"gCO2e">;
  readonly cpuTime?: Figure<"s">;
  readonly power?: NonNullable<Card["measures"]["power"]>;
  readonly scope: Card["boundary"]["scope"];
  readonly pue?: Figure<"1">;
  readonly signal?: NonNullable<Card["signal"]>;
  readonly components?: readonly Component[];
  readonly series?: Card["series"];
  readonly gaps?: Card["gaps"];
  readonly notices: readonly string[];
  readonly machine?: Partial<Machine>;
  readonly version: string;
}

/** The card, checked. Its energy is all that the tool counted: gross. */
export function importedCard(of: Imported): Card {
  const id = cardId(of.id);
  const { emissions, cpuTime, power, pue, signal } = of;
  const ends = of.from + of.seconds * 1000;
  if (![of.from, ends].every((time) => Math.abs(time) < 8.64e15)) {
    throw new UserError("invalid-input", `run ${of.id}: its times cannot be read`, {
      hint: "Is the file unchanged?",
    });
  }
  return parseCard({
    schema: CARD_SCHEMA,
    id,
    subject: { kind: of.kind, name: of.name, tags: of.tags ?? {} },
    status: of.status ?? "complete",
    startedAt: new Date(of.from).toISOString(),
    endedAt: new Date(ends).toISOString(),
    measures: {
      duration: exact("s", of.seconds, { method: "declared", source: of.clock }),
      ...(of.energy === null ? {} : { energy: { gross: of.energy } }),
      ...(emissions === undefined ? {} : { emissions }),
      ...(cpuTime === undefined ? {} : { cpuTime }),
      ...(power === undefined ? {} : { power }),
    },
    boundary: {
      headline: "gross",
      scope: of.scope,
      ...(pue === undefined ? {} : { pue }),
      idlePolicy: "all that was counted, idle energy included",
    },
    ...(signal === undefined ? {} : { signal }),
    components: of.components ?? [],
    spans: [],
    gaps: of.gaps ?? [],
    series: of.series ?? [],
    steps: [],
    notices: of.notices,
    machine: {
      // Of its own, so that no merge takes two unknown machines for one.
      id: `unknown-${id}`,
      platform: "unknown",
      arch: "unknown",
      release: "unknown",
      cpu: { name: "unknown", threads: 1 },
      memoryBytes: 0,
      virtualization: null,
      gpus: [],
      ...of.machine,
    },
    godwit: { version: of.version },
  });
}

/** At most 64 letters, digits and dashes; a long one keeps its end, where ids differ. */
function cardId(text: string): string {
  const clean = text.replace(/[^A-Za-z0-9_-]+/g, "-");
  return clean.length <= 64 ? clean : clean.slice(0, 24) + clean.slice(-40);
}

/** Minutes of `+01:00`, `-05:30` or `Z`. Throws UserError for other texts. */
export function utcOffset(text: string): number {
  const match = /^(?:Z|([+-])(\d\d):?(\d\d))$/.exec(text);
  const minutes = Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0);
  if (match !== null && minutes <= 14 * 60) return match[1] === "-" ? -minutes : minutes;
  throw new UserError("usage", `--utc-offset: cannot read "${text}"`, {
    hint: "Give hours and minutes, such as +01:00 or -05:30.",
  });
}

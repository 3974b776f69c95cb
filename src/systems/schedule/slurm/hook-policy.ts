// The policy file that the hook in slurmctld reads at each submission (data/slurm/godwit.lua): settings that
// a site chose when it installed the hook, and a forecast that `godwit slurm refresh` renews. Lines of a
// key and a value, so that no Lua is read from it.

import { UserError } from "../../../core/index.ts";
import { endOf, type Signal } from "../signal.ts";

export interface HookSettings {
  /** A job opts in with this word in its comment: green-flex, green-flex=18h. */
  readonly word: string;
  /** Or by one of these QOS. */
  readonly qos: readonly string[];
  /** Longest that a job is put off, seconds. */
  readonly maxDelayS: number;
  /** Least share of its emissions for which it is. */
  readonly leastSaving: number;
}

export const USUAL_SETTINGS: HookSettings = {
  word: "green-flex",
  qos: [],
  maxDelayS: 12 * 3600,
  leastSaving: 0.05,
};

/** Steps that a policy holds at most: each submission reads them, while slurmctld waits. */
const MOST_STEPS = 1000;

/** A forecast from the step that holds now, and until when it may be used. */
export interface HookForecast {
  readonly forecast: Signal;
  readonly now: number;
  /** Seconds after which it is too old to act on. */
  readonly maxAgeS: number;
}

/** The policy's text. Without a forecast the hook leaves every job as it is. */
export function renderPolicy(settings: HookSettings, of: HookForecast | null): string {
  const lines = [
    "godwit-policy 1",
    `word ${settings.word}`,
    ...settings.qos.map((name) => `qos ${name}`),
    `max-delay ${settings.maxDelayS}`,
    `least-saving ${settings.leastSaving}`,
    ...(of === null ? [] : forecastLines(of)),
    "end",
  ];
  return `${lines.join("\n")}\n`;
}

function forecastLines({ forecast, now, maxAgeS }: HookForecast): readonly string[] {
  const { start, step, values, zone, source, kind, basis } = forecast;
  const first = Math.max(0, Math.floor((now - start) / step));
  const kept = values.slice(first, first + MOST_STEPS);
  return [
    `signal ${oneLine(`${zone}, ${kind}, ${basis}, ${source}`)}`,
    `issued ${Math.floor(forecast.issuedAt)}`,
    `expires ${Math.floor(Math.min(endOf(forecast), now + maxAgeS))}`,
    `start ${start + first * step}`,
    `step ${step}`,
    ...Array.from(kept, (value) => `value ${value}`),
  ];
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");

/** The settings of a policy's text. Throws UserError when it is none. */
export function settingsOf(text: string, path: string): HookSettings {
  const lines = text.split("\n").map((line) => /^([a-z-]+) (.+)$/.exec(line));
  const values = (key: string): readonly string[] =>
    lines.flatMap((match) => (match?.[1] === key ? [match[2] ?? ""] : []));
  const [word] = values("word");
  const maxDelayS = Number(values("max-delay")[0]);
  const leastSaving = Number(values("least-saving")[0]);
  const isSound = maxDelayS > 0 && leastSaving >= 0 && leastSaving <= 1;
  if (!text.startsWith("godwit-policy 1\n") || word === undefined || !isSound)
    throw new UserError("invalid-input", `${path} is not a policy of the hook`, {
      hint: "Write it anew: godwit slurm install-hook.",
    });
  return { word, qos: values("qos"), maxDelayS, leastSaving };
}

/** Throws UserError for settings that the policy's lines cannot hold. */
export function checkSettings({ word, qos }: HookSettings): void {
  const bad = [word, ...qos].find((name) => !/^[\w.+-]{1,64}$/.test(name));
  if (bad === undefined) return;
  throw new UserError("usage", `${JSON.stringify(bad)} cannot be an opt-in`, {
    hint: "Give letters, digits, dots, dashes and underscores alone, such as green-flex.",
  });
}

/** A job_submit.lua that does nothing but call the hook, whatever becomes of it. */
export function submitScript(folder: string): string {
  return [
    "-- Written by godwit slurm install-hook. If anything of it fails, jobs stay as they were handed in.",
    "function slurm_job_submit(job_desc, part_list, submit_uid)",
    ...chainLines(folder).map((line) => `  ${line}`),
    "  return slurm.SUCCESS",
    "end",
    "",
    "function slurm_job_modify(job_desc, job_rec, part_list, modify_uid)",
    "  return slurm.SUCCESS",
    "end",
    "",
    "return slurm.SUCCESS",
    "",
  ].join("\n");
}

/** What a site adds to the slurm_job_submit of its own. */
export function chainLines(folder: string): readonly string[] {
  return [
    `local found, godwit = pcall(dofile, ${luaText(`${folder}/godwit.lua`)})`,
    `if found then pcall(godwit.submit, job_desc, ${luaText(`${folder}/godwit-policy`)}) end`,
  ];
}

/** A job_submit.lua that does nothing: slurmctld does not start without one while slurm.conf asks for it. */
export const IDLE_SCRIPT = submitScript("").replace(
  / {2}local found[^\n]*\n {2}if found[^\n]*\n/,
  "",
);

/** A text as Lua writes it; every byte that could mean something else is escaped. */
function luaText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const escaped = Array.from(bytes, (byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return isPlain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

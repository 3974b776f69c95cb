// A diagnosis for the terminal: what a run would be measured with, then every sensor with what to do.

import { formatFigure, withPrefix } from "../../core/index.ts";
import { columnsOf, padded, printable, wrap } from "../columns.ts";
import type { Paint, Role } from "../terminal.ts";
import { signalText } from "../words.ts";
import type { Diagnosis, ProviderFinding, RungFinding } from "./diagnosis.ts";

export interface DiagnosisOptions {
  /** Columns; 40 to 200. */
  readonly width?: number;
  readonly paint?: Paint;
}

interface Page {
  readonly width: number;
  readonly paint: Paint;
}

const MARGIN = "  ";
const LABEL = 10;

/** Mark and role of each status; the words say it too, so nothing depends on colour. */
const STATUS: Readonly<Record<ProviderFinding["status"], { mark: string; role: Role }>> = {
  ready: { mark: "+", role: "good" },
  denied: { mark: "x", role: "bad" },
  absent: { mark: "-", role: "quiet" },
};

/** The report, with a line break at its end. */
export function renderDiagnosis(diagnosis: Diagnosis, options: DiagnosisOptions = {}): string {
  const page: Page = {
    width: Math.min(200, Math.max(40, Math.trunc(options.width ?? 80))),
    paint: options.paint ?? ((_, text) => text),
  };
  const { paint } = page;
  const lines = [
    ...wrap(printable(verdict(diagnosis)), page.width).map((line) => paint("strong", line)),
    ...machineLines(diagnosis, page),
    "",
    paint("strong", "A run here uses"),
    ...diagnosis.rungs.flatMap((rung) => rungLines(rung, page)),
    ...diagnosis.uncovered
      // A machine is the sum of its components where nothing reads it as a whole.
      .filter(({ domain }) => domain !== "machine")
      .flatMap(({ domain, reasons }) => row(domain, uncoveredText(reasons), page, "warn")),
    ...guestLines(diagnosis, page),
    ...surroundings(diagnosis, page),
    "",
    paint("strong", "Sensors"),
    ...sorted(diagnosis.providers).flatMap((finding) => providerLines(finding, page)),
    "",
    paint("strong", "Paths"),
    ...Object.entries(diagnosis.paths).flatMap(([name, path]) => row(name, path, page)),
  ];
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** The answer in one line. */
function verdict({ rungs, providers, version }: Diagnosis): string {
  const measured = rungs.filter(({ method }) => method !== "estimated");
  const domains = [...new Set(measured.map(({ domain }) => domain))];
  const denied = providers.filter(({ status }) => status === "denied").length;
  const fixable = denied === 0 ? "" : `; ${denied} locked, with a fix below`;
  return domains.length === 0
    ? `godwit ${version}: no power sensor here, runs are estimated${fixable}`
    : `godwit ${version}: measures ${domains.join(", ")}${fixable}`;
}

function machineLines({ machine }: Diagnosis, page: Page): readonly string[] {
  const { cpu } = machine;
  const cores = cpu.cores === undefined ? "" : `${cpu.cores} cores, `;
  const system = `${machine.platform} ${machine.release} ${machine.arch}`;
  return [
    ...row("cpu", `${cpu.name || "unknown"}, ${cores}${cpu.threads} threads`, page),
    ...row("memory", withPrefix(machine.memoryBytes, "B"), page),
    ...machine.gpus.flatMap((gpu) => row("gpu", gpu.name, page)),
    ...row("system", `${system}, ${machine.virtualization ?? "bare metal"}`, page),
    ...row("machine", machine.id, page),
  ];
}

function rungLines(rung: RungFinding, page: Page): readonly string[] {
  const interval = `${signedPercent(rung.low)} to ${signedPercent(rung.high)}`;
  const role: Role = rung.method === "estimated" ? "warn" : "good";
  const device = rung.device === rung.domain ? "" : `${rung.device}, `;
  return [
    ...row(rung.domain, `${device}${rung.method}, ${interval} (90 %): ${rung.source}`, page, role),
    ...betterLines(rung, page),
  ];
}

/** A model stands below every sensor, and the table of sensors says of each why it is not here. */
function betterLines({ method, fallbacks }: RungFinding, page: Page): readonly string[] {
  const reasons =
    method === "estimated" ? fallbacks.filter((reason) => / denied: /.test(reason)) : fallbacks;
  return reasons.flatMap((reason) => row("", `better, but ${reason}`, page, "quiet"));
}

function uncoveredText(reasons: readonly string[]): string {
  const locked = reasons.some((reason) => / denied: /.test(reason));
  return locked
    ? "a locked sensor, see its fix below; until then estimated by a model"
    : "no sensor here: estimated by a model";
}

/** Why a virtual machine has no sensors, where that is the reason. */
function guestLines({ machine, rungs }: Diagnosis, page: Page): readonly string[] {
  const measured = rungs.some(({ method }) => method !== "estimated");
  if (machine.virtualization === null || measured) return [];
  const text =
    "a virtual machine or a container is not shown the sensors of its host; an external meter can " +
    "be named in GODWIT_METER";
  return row("why", text, page, "quiet");
}

/** `-5 %`, `+60 %`; a factor of three and more as `x3.2`. */
function signedPercent(factor: number): string {
  if (factor >= 3) return `x${factor.toPrecision(2)}`;
  const percent = Math.round((factor - 1) * 100);
  return `${percent < 0 ? "-" : "+"}${Math.abs(percent)} %`;
}

function surroundings(diagnosis: Diagnosis, page: Page): readonly string[] {
  const { signal, cpuTime, clock, ledger, ffi } = diagnosis;
  const place = ledger.server ?? ledger.folder;
  const use = ledger.server === undefined ? "written" : "reached";
  const source = clock.source === null ? "" : `, ${clock.source}`;
  return [
    ...row("carbon", `${formatFigure(signal.intensity)}; ${signalText(signal)}`, page),
    ...row("", signal.intensity.source, page, "quiet"),
    ...row("cpu time", cpuTime.source, page),
    ...cpuTime.fallbacks.flatMap((reason) => row("", `better, but ${reason}`, page, "quiet")),
    ...row("clock", `time zone ${clock.timeZone}${source}`, page),
    ...(clock.fault === null ? [] : row("", clock.fault, page, "bad")),
    ...row(
      "libraries",
      ffi ? "native libraries can be called (koffi)" : "koffi is not here: npm install koffi",
      page,
      ffi ? undefined : "warn",
    ),
    ...(ledger.fault === null
      ? row("ledger", `${place} (by ${ledger.chosenBy}), can be ${use}`, page)
      : row("ledger", `${place} (by ${ledger.chosenBy}): ${ledger.fault}`, page, "bad")),
  ];
}

/** Ready first, then what can be mended, then what is not there. */
function sorted(providers: readonly ProviderFinding[]): readonly ProviderFinding[] {
  const order = { ready: 0, denied: 1, absent: 2 } as const;
  return providers.toSorted((a, b) => order[a.status] - order[b.status]);
}

const NAME = 14;

function providerLines(finding: ProviderFinding, page: Page): readonly string[] {
  const { mark, role } = STATUS[finding.status];
  const head = `${MARGIN}${mark} ${padded(printable(finding.name), NAME)}  ${padded(finding.status, 6)}  `;
  const indent = " ".repeat(columnsOf(head));
  const says =
    finding.status === "ready"
      ? `${finding.domains.join(", ")}: ${finding.devices.join(", ")}`
      : (finding.reason ?? "");
  const [first = "", ...rest] = wrap(printable(says), page.width - indent.length);
  const notes = finding.status === "ready" ? finding.notes : [];
  return [
    page.paint(role, head) + first,
    ...rest.map((line) => indent + line),
    ...notes.flatMap((note) => under(`note: ${note}`, { ...page, role: "warn" })),
    ...remedyOf(finding)
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line, index) =>
        under(`${index === 0 ? "fix: " : "     "}${line}`, { ...page, role: "strong" }),
      ),
  ];
}

function remedyOf({ name, remedy }: ProviderFinding): string {
  if (remedy === null) return "";
  return name === "rapl-powercap" ? `${remedy}\nor: godwit doctor --fix rapl` : remedy;
}

/** Lines under a sensor. A command may be copied, so it is broken only between words. */
function under(text: string, { width, paint, role }: Page & { role: Role }): readonly string[] {
  const indent = MARGIN + MARGIN + MARGIN;
  const lead = /^\s*/.exec(text)?.[0] ?? "";
  return wrap(printable(text.trim()), width - indent.length - lead.length).map(
    (line) => indent + lead + paint(role, line),
  );
}

function row(label: string, text: string, page: Page, role?: Role): readonly string[] {
  const room = page.width - MARGIN.length - LABEL - 2;
  return wrap(printable(text), room).map((line, index) => {
    const head = padded(index === 0 ? printable(label) : "", LABEL);
    const words = role === undefined ? line : page.paint(role, line);
    return `${MARGIN}${page.paint("quiet", head)}  ${words}`;
  });
}

// NVIDIA GPUs through the nvidia-smi program, for hosts on which no native library can be called.
// One process answers for all boards, and readings of one instant share it; starting it costs some
// tens of milliseconds of CPU time, so NVML is preferred wherever it works.

import {
  type CommandResult,
  type Host,
  hostErrorCode,
  parseCsv,
  reasonOf,
} from "../../core/index.ts";
import { type SelectableGpu, selectNvidiaGpus } from "./gpu-selection.ts";
import type { Probe, Reading, Sensor, SensorProvider } from "./sensor.ts";

/** Milliseconds: without persistence mode each call loads the driver, which takes seconds. */
const PROBE_TIMEOUT = 10_000;
const READ_TIMEOUT = 1_000;
/** Readings asked for within this time get one answer, nanoseconds. */
const SHARED_FOR = 50_000_000n;
/** As for NVML's power, read once a second: 5 % and 5 % in quadrature. */
const POLLING_ERROR = 0.07;

/** Fields wanted; all but the first three are unknown to some version of the program. */
const FIELDS = [
  "index",
  "uuid",
  "name",
  "power.draw.average",
  "power.draw",
  "power.max_limit",
  "mig.mode.current",
] as const;
type Field = (typeof FIELDS)[number];
const REQUIRED: readonly Field[] = ["index", "uuid", "name"];
const POWER_FIELDS = ["power.draw.average", "power.draw"] as const;
type PowerField = (typeof POWER_FIELDS)[number];

type Row = Partial<Record<Field, string>>;

export const nvidiaSmi: SensorProvider = {
  name: "nvidia-smi",
  description: "NVIDIA GPUs through the nvidia-smi program: power, where NVML cannot be called",
  domains: ["gpu"],
  patience: PROBE_TIMEOUT,

  async probe(host) {
    if (host.platform !== "linux" && host.platform !== "win32") {
      return { status: "absent", reason: `no nvidia-smi on ${host.platform}` };
    }
    for (const program of programs(host)) {
      try {
        return await probeProgram(host, program);
      } catch (error) {
        const code = hostErrorCode(error);
        if (code === "EACCES") {
          return {
            status: "denied",
            reason: `${program} may not be executed`,
            remedy: `allow this user to execute ${program}`,
          };
        }
        if (code !== "ENOENT") return { status: "absent", reason: reasonOf(error) };
      }
    }
    return { status: "absent", reason: "no nvidia-smi in PATH" };
  },
};

const programs = (host: Host): readonly string[] =>
  host.platform === "win32"
    ? ["nvidia-smi", "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe"]
    : ["nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi"];

async function probeProgram(host: Host, program: string): Promise<Probe> {
  const answer = await query(host, { program, fields: FIELDS, timeout: PROBE_TIMEOUT });
  if ("fault" in answer) return faultProbe(answer.fault);
  const gpus = answer.rows.map((row) => ({ ...identityOf(row), row }));
  const selection = selectNvidiaGpus(gpus, host.env);
  const notes = [...selection.notes];
  const poll = createPoller(host, program);
  const sensors: Sensor[] = [];
  for (const { row, uuid, name } of selection.gpus) {
    const field = POWER_FIELDS.find((candidate) => (numberOf(row[candidate]) ?? 0) > 0);
    if (field === undefined) {
      notes.push(`${name} ${uuid}: nvidia-smi tells no power (${row["power.draw"] ?? "no field"})`);
      continue;
    }
    const mig = row["mig.mode.current"] === "Enabled";
    if (mig) notes.push(`${name} ${uuid}: MIG is on; power is that of the whole board`);
    const limit = numberOf(row["power.max_limit"]);
    sensors.push({
      id: `nvidia-smi:${uuid}`,
      provider: "nvidia-smi",
      domain: "gpu",
      device: uuid,
      scope: "component",
      kind: "power",
      method: "sampled",
      source: `nvidia-smi ${field}, ${name}${mig ? " (whole board, MIG is on)" : ""}`,
      error: POLLING_ERROR,
      updatePeriod: 0.1,
      ...(limit === null ? {} : { maxPower: limit }),
      read: () => poll(uuid, field),
    });
  }
  if (sensors.length > 0) return { status: "ready", sensors, notes };
  return { status: "absent", reason: notes.join("; ") || "nvidia-smi lists no GPU" };
}

function identityOf(row: Row): SelectableGpu {
  return { index: Number(row.index), uuid: row.uuid ?? "", name: row.name ?? "" };
}

/** `[N/A]`, `[Not Supported]`, `[Unknown Error]` and everything else that is no number: null. */
function numberOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d+(\.\d+)?$/.test(text)) return null;
  return Number(text);
}

type Answer = { readonly rows: readonly Row[] } | { readonly fault: string };

interface Query {
  readonly program: string;
  readonly fields: readonly Field[];
  readonly timeout: number;
}

/** Asks again without a field that this version does not know. Rejects when the program cannot run. */
async function query(host: Host, { program, fields, timeout }: Query): Promise<Answer> {
  const result = await host.run(
    program,
    [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"],
    { timeout },
  );
  const unknown = /Field "([^"]+)" is not a valid field/.exec(result.stdout + result.stderr)?.[1];
  if (unknown !== undefined) {
    const left = fields.filter((field) => field !== unknown);
    if (left.length === fields.length || REQUIRED.some((field) => !left.includes(field))) {
      return { fault: `nvidia-smi does not know the field ${unknown}` };
    }
    return query(host, { program, fields: left, timeout });
  }
  return parseAnswer(result, fields);
}

/** Errors come on stdout as often as on stderr, and not always with an exit code. */
function parseAnswer({ code, stdout, stderr }: CommandResult, fields: readonly Field[]): Answer {
  const firstLine = (stdout.trim() || stderr.trim()).split("\n")[0]?.slice(0, 200) ?? "";
  if (code !== 0) return { fault: firstLine || `nvidia-smi ended with code ${code}` };
  const rows: Row[] = [];
  for (const line of parseCsv(stdout)) {
    const values = line.map((value) => value.trim());
    if (values.length === 1 && values[0] === "") continue;
    const row: Row = Object.fromEntries(fields.map((field, at) => [field, values[at]]));
    if (values.length !== fields.length || !/^\d+$/.test(row.index ?? "")) {
      return { fault: `nvidia-smi answered something else: ${firstLine}` };
    }
    rows.push(row);
  }
  return { rows };
}

/** One process for all boards: readings asked for together, or shortly after, share its answer. */
function createPoller(
  host: Host,
  program: string,
): (uuid: string, field: PowerField) => Promise<Reading> {
  let startedAt = 0n;
  let pending: Promise<{ at: bigint; answer: Answer }> | null = null;
  const ask = async () => {
    const before = host.monotonic();
    const fields = ["index", "uuid", "name", ...POWER_FIELDS] as const;
    const answer = await query(host, { program, fields, timeout: READ_TIMEOUT });
    return { at: (before + host.monotonic()) / 2n, answer };
  };
  return async (uuid, field) => {
    const now = host.monotonic();
    if (pending === null || now - startedAt > SHARED_FOR) {
      startedAt = now;
      pending = ask();
    }
    const { at, answer } = await pending;
    if ("fault" in answer) throw new Error(answer.fault);
    const row = answer.rows.find((candidate) => candidate.uuid === uuid);
    if (row === undefined) throw new Error(`nvidia-smi no longer lists ${uuid}`);
    const value = numberOf(row[field]);
    // A board under power draws some.
    if (value === null || value <= 0)
      throw new Error(`nvidia-smi says ${row[field] ?? "nothing"} for ${field}`);
    return { at, value };
  };
}

function faultProbe(fault: string): Probe {
  if (/version mismatch/i.test(fault)) {
    return {
      status: "denied",
      reason: fault,
      remedy:
        "restart the machine, or reload the nvidia modules: the driver was updated while in use",
    };
  }
  if (/permission/i.test(fault)) {
    return {
      status: "denied",
      reason: fault,
      remedy: "give this user read access to /dev/nvidiactl and /dev/nvidia*",
    };
  }
  if (/is lost|needs? (a )?reset/i.test(fault)) {
    return {
      status: "denied",
      reason: fault,
      remedy: "reset the GPU or restart the machine; see dmesg for Xid",
    };
  }
  return { status: "absent", reason: fault };
}

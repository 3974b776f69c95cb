// Power limits of NVIDIA GPUs by `nvidia-smi` (nvidia-smi(1), --power-limit and --query-gpu). Unverified on
// hardware: exercised on a stand-in for the program alone.

import { type Host, reasonOf, UserError } from "../../core/index.ts";
import type { PowerDevice } from "./limits.ts";

const DEADLINE = { timeout: 20_000 };
const FIELDS = "index,power.limit,power.min_limit,power.max_limit,power.draw";

/** The GPUs that report a power limit. Throws UserError when there is none or no nvidia-smi. */
export async function nvidiaDevices(host: Host): Promise<readonly PowerDevice[]> {
  const rows = await query(host, []);
  const meters = new Map<string, Meter>();
  return rows.map(
    ([index = "", current, least, most]): PowerDevice => ({
      id: `gpu ${index}`,
      ...{ current: Number(current), least: Number(least), most: Number(most) },
      describe: (watts) => `nvidia-smi -i ${index} -pl ${watts}`,
      async set(watts) {
        const answer = await call(host, ["-i", index, "-pl", String(watts)]);
        if (answer.code === 0) return;
        const said = `${answer.stdout}\n${answer.stderr}`.trim();
        throw new UserError("denied", `gpu ${index} was not limited to ${watts} W: ${said}`, {
          hint: "Changing a limit takes root, and a GPU that supports it.",
        });
      },
      joules: () => integrated(host, index, meters),
    }),
  );
}

interface Meter {
  readonly atS: number;
  readonly watts: number;
  readonly joules: number;
}

/** Power draw, integrated by the trapezoid rule between the calls. */
async function integrated(
  host: Host,
  index: string,
  meters: Map<string, Meter>,
): Promise<number | null> {
  const [row] = await query(host, ["-i", index]);
  const watts = Number(row?.[4]);
  if (!Number.isFinite(watts)) return null;
  const atS = Number(host.monotonic()) / 1e9;
  const last = meters.get(index);
  const joules =
    last === undefined ? 0 : last.joules + ((last.watts + watts) / 2) * (atS - last.atS);
  meters.set(index, { atS, watts, joules });
  return joules;
}

async function query(host: Host, of: readonly string[]): Promise<readonly (readonly string[])[]> {
  const answer = await call(host, [
    `--query-gpu=${FIELDS}`,
    "--format=csv,noheader,nounits",
    ...of,
  ]);
  const rows = answer.stdout
    .split("\n")
    .map((line) => line.split(",").map((field) => field.trim()))
    .filter(
      (row) =>
        row.length === 5 &&
        row.slice(0, 4).every((field) => Number.isFinite(Number(field)) && field !== ""),
    );
  if (rows.length > 0) return rows;
  throw new UserError("unsupported", "no GPU here tells a power limit", {
    hint: "nvidia-smi -q -d POWER shows what it supports. Leave --power-limit out to tune the batch size alone.",
  });
}

async function call(host: Host, args: readonly string[]) {
  try {
    return await host.run("nvidia-smi", args, DEADLINE);
  } catch (cause) {
    throw new UserError("unsupported", `nvidia-smi cannot be run: ${reasonOf(cause)}`, {
      hint: "Leave --power-limit out to tune the batch size alone, or give --device cpu.",
      cause,
    });
  }
}

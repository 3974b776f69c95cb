// Use of NVIDIA GPUs by the subject and by others, from one tick to the next: seconds of the device
// by share of SM time, and seconds in which anyone had a process on it. A driver that hangs, a
// device that is lost or a process that cannot be told costs attribution for that time, never
// energy: it is counted as not told. Where there is no NVIDIA sensor, nothing is asked.

import { type Host, reasonOf } from "../../core/index.ts";
import { type GpuProcesses, nvmlProcesses, within } from "../sensors/index.ts";
import type { Sensor } from "../sensors/sensor.ts";
import { createGpuOwners, type GpuOwner } from "./gpu-owners.ts";
import type { GpuUse } from "./record.ts";

/** Asks the driver once a tick. */
export interface GpuUsage {
  /**
   * Use since the first call, by sensor id. `own` are the subject's processes at this moment; null
   * where nobody tells. Absent where the driver cannot be asked. Never rejects.
   */
  read(
    own: () => Promise<readonly number[] | null>,
  ): Promise<Readonly<Record<string, GpuUse>> | undefined>;
}

/** Milliseconds for the driver to name the processes of all devices. */
const DEADLINE = 500;
/**
 * Longest time between two utilisation samples of the driver, seconds ("between 1/6 and 1 second
 * depending on the product", NVML reference, nvmlUtilization_t). A new sample stands for no more
 * time before it than this, or than the time since the last tick.
 */
const SAMPLE_PERIOD = 1;

/** GPU use of these sensors' devices; null where none of them is NVIDIA's. */
export function createGpuUsage(host: Host, sensors: readonly Sensor[]): GpuUsage | null {
  const watched = sensors.filter(
    ({ domain, device, provider }) =>
      domain === "gpu" && device.startsWith("GPU-") && provider !== "nvidia-smi",
  );
  if (watched.length === 0) return null;
  const accounts = watched.map((sensor) => ({ sensor, account: createAccount() }));
  const owners = createGpuOwners(host);
  let since: ReadonlyMap<string, bigint> = new Map();
  let zero: bigint | null = null;
  let pending = false;
  /** Whether the library was ever there: where it is not, it is not looked for at every tick. */
  let isThere: boolean | null = null;

  const ask = async (): Promise<readonly GpuProcesses[]> => {
    if (pending) throw new Error("the driver has not answered the question before");
    pending = true;
    const answer = nvmlProcesses(host, since).finally(() => {
      pending = false;
    });
    const boards = await within(host, () => answer, DEADLINE);
    isThere ??= boards.length > 0;
    return boards;
  };

  return {
    async read(own) {
      if (isThere === false) return undefined;
      const now = host.monotonic();
      zero ??= now;
      const t = Number(now - zero) / 1e9;
      const seen = await observe(ask, own, (named, pids) => owners.tell(named, pids, t));
      if (typeof seen !== "string") {
        since = new Map([
          ...since,
          ...seen.boards.map(({ uuid, latest }) => [uuid, latest] as const),
        ]);
      }
      const uses = accounts.map(({ sensor, account }) => {
        const use = account.advance(
          t,
          typeof seen === "string" ? seen : lookAt(seen, sensor.device),
        );
        return [sensor.id, use] as const;
      });
      return Object.fromEntries(uses);
    },
  };
}

interface Seen {
  readonly boards: readonly GpuProcesses[];
  readonly owners: ReadonlyMap<number, GpuOwner>;
}

/** What the driver names and whose it is, or why that is not known. */
async function observe(
  ask: () => Promise<readonly GpuProcesses[]>,
  own: () => Promise<readonly number[] | null>,
  tell: (named: Iterable<number>, own: readonly number[]) => Promise<ReadonlyMap<number, GpuOwner>>,
): Promise<Seen | string> {
  try {
    const [boards, pids] = await Promise.all([ask(), own()]);
    if (pids === null) return "the subject's processes are not known on this platform";
    const named = new Set(boards.flatMap(({ processes }) => processes.map(({ pid }) => pid)));
    return { boards, owners: await tell(named, pids) };
  } catch (error) {
    return reasonOf(error);
  }
}

/** One device at one tick. Parts are those of the device's time, 0 to 1. */
interface Look {
  /** Whether there is a sample newer than the last tick's. */
  readonly latest: bigint;
  readonly own: { readonly present: boolean; readonly share: number };
  readonly others: { readonly present: boolean; readonly share: number };
}

function lookAt({ boards, owners }: Seen, device: string): Look | string {
  const board = boards.find(({ uuid }) => uuid === device);
  if (board === undefined) return "the driver did not answer for this device";
  const of = (owner: GpuOwner) => {
    const processes = board.processes.filter(({ pid }) => owners.get(pid) === owner);
    const share = processes.reduce((sum, process) => sum + (process.share ?? 0), 0);
    return { present: processes.length > 0, share };
  };
  const [own, others] = [of("subject"), of("other")];
  if (of("unknown").present) {
    return "the driver names processes that cannot be found here (it numbers them as the host does)";
  }
  if (board.note !== null && own.present && others.present) {
    return `several use it and the driver does not tell how much: ${board.note}`;
  }
  return { latest: board.latest, own, others };
}

/** One device's sums. */
function createAccount(): { advance(t: number, look: Look | string): GpuUse } {
  let use: Required<Omit<GpuUse, "untold">> & Pick<GpuUse, "untold"> = {
    busyS: 0,
    subjectS: 0,
    toldS: 0,
    heldS: 0,
    othersS: 0,
  };
  let last: { readonly t: number; readonly look: Look | null } | null = null;
  /** Up to where samples have been counted. */
  let counted = 0;

  return {
    advance(t, look) {
      const seconds = last === null ? 0 : t - last.t;
      const before = last?.look ?? null;
      last = { t, look: typeof look === "string" ? null : look };
      if (typeof look === "string") {
        counted = t;
        use = { ...use, untold: look };
        return use;
      }
      // What came with the first look, or after a silence, is of the time before it.
      const isNew = before !== null && look.latest > before.latest;
      const window = isNew ? Math.min(t - counted, Math.max(seconds, SAMPLE_PERIOD)) : 0;
      if (isNew || before === null) counted = t;
      const total = look.own.share + look.others.share;
      const scale = window / Math.max(1, total);
      const within = before === null ? 0 : seconds;
      use = {
        ...use,
        busyS: use.busyS + scale * total,
        subjectS: use.subjectS + scale * look.own.share,
        toldS: use.toldS + within,
        heldS: use.heldS + (look.own.present || before?.own.present === true ? within : 0),
        othersS:
          use.othersS + (look.others.present || before?.others.present === true ? within : 0),
      };
      return use;
    },
  };
}

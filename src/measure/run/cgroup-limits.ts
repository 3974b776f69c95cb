// Limits that control groups put on a process, versions 1 and 2, found by walking from its group up
// to the root: a group can have no more than the groups that contain it.
// Interfaces: Linux Documentation/admin-guide/cgroup-v2.rst; cgroup-v1/memory.rst, cpusets.rst;
// scheduler/sched-bwc.rst. Inside a container the mount shows a part of the tree (mountinfo, proc(5)).

import { parseCpuList } from "../../core/cpu-list.ts";
import type { Host } from "../../core/index.ts";
import { hostErrorCode, readTextIfPresent } from "../../core/index.ts";

/** One limit, in the words of the interface that sets it. */
export type Limit =
  | { readonly kind: "threads"; readonly value: number; readonly reason: string }
  | { readonly kind: "memory"; readonly value: number; readonly reason: string }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Where the mount of a hierarchy is, and which group it shows as its root. */
interface Mount {
  readonly version: 1 | 2;
  readonly point: string;
  readonly root: string;
  readonly controllers: readonly string[];
}

/** Reads a file of a group; null when the group does not have it. */
type Read = (path: string) => Promise<string | null>;

/** Above this a version 1 memory limit is the kernel's way to say none: LONG_MAX in whole pages. */
const NO_MEMORY_LIMIT = 2 ** 62;

/** Every limit on this process that a control group states. */
export async function cgroupLimits(host: Host): Promise<readonly Limit[]> {
  const limits: Limit[] = [];
  const read: Read = async (path) => {
    try {
      return (await readTextIfPresent(host, path))?.trim() ?? null;
    } catch (error) {
      const code = hostErrorCode(error) ?? "unreadable";
      limits.push({ kind: "unreadable", reason: `${path} cannot be read (${code})` });
      return null;
    }
  };
  const groups = (await read("/proc/self/cgroup")) ?? "";
  const mounts = mountsOf(await read("/proc/self/mountinfo"));
  for (const line of groups.split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const [, names = "", path = ""] = match;
    const controllers = names.split(",");
    const mount = mounts.find((one) =>
      names === ""
        ? one.version === 2
        : one.version === 1 && one.controllers.some((name) => controllers.includes(name)),
    );
    if (mount === undefined) continue;
    const folders = upwards(mount, path);
    limits.push(...(mount.version === 2 ? await v2(read, folders) : await v1(read, folders)));
  }
  return limits;
}

/** Mounted hierarchies; the customary place where mountinfo is missing. */
function mountsOf(mountinfo: string | null): readonly Mount[] {
  if (mountinfo === null) {
    return [{ version: 2, point: "/sys/fs/cgroup", root: "/", controllers: [] }];
  }
  return mountinfo.split("\n").flatMap((line): Mount[] => {
    // id parent device root point options [tags] - type source superoptions
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "/", point = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, point, root, controllers: [] }];
    if (type === "cgroup") return [{ version: 1, point, root, controllers: options.split(",") }];
    return [];
  });
}

/** Folders of a group and of those that contain it, innermost first. */
function upwards({ point, root }: Mount, path: string): readonly string[] {
  const inside = root === "/" ? path : path.startsWith(root) ? path.slice(root.length) : "/";
  // A path that climbs belongs to a group outside of this namespace, of which nothing shows.
  const parts = inside.includes("..") ? [] : inside.split("/").filter((part) => part !== "");
  const folders = parts.map((_, i) => `${point}/${parts.slice(0, parts.length - i).join("/")}`);
  return [...folders, point];
}

async function v2(read: Read, folders: readonly string[]): Promise<readonly Limit[]> {
  const limits: Limit[] = [];
  for (const folder of folders) {
    const [quota, period] = ((await read(`${folder}/cpu.max`)) ?? "max").split(" ");
    limits.push(...bandwidth(Number(quota), Number(period), `cpu.max of ${folder}`));
    const memory = Number((await read(`${folder}/memory.max`)) ?? "max");
    limits.push(...memoryLimit(memory, `memory.max of ${folder}`));
  }
  return [...limits, ...(await cpuset(read, folders, ["cpuset.cpus.effective"]))];
}

async function v1(read: Read, folders: readonly string[]): Promise<readonly Limit[]> {
  const limits: Limit[] = [];
  for (const folder of folders) {
    const quota = Number((await read(`${folder}/cpu.cfs_quota_us`)) ?? "-1");
    const period = Number((await read(`${folder}/cpu.cfs_period_us`)) ?? "0");
    limits.push(...bandwidth(quota, period, `cpu.cfs_quota_us of ${folder}`));
    const memory = Number((await read(`${folder}/memory.limit_in_bytes`)) ?? "NaN");
    if (memory < NO_MEMORY_LIMIT) {
      limits.push(...memoryLimit(memory, `memory.limit_in_bytes of ${folder}`));
    }
  }
  const files = ["cpuset.effective_cpus", "cpuset.cpus"];
  return [...limits, ...(await cpuset(read, folders, files))];
}

/** Microseconds of processor time a period of microseconds: a number of processors, or its part. */
function bandwidth(quota: number, period: number, name: string): readonly Limit[] {
  if (!(quota > 0) || !(period > 0)) return [];
  const value = quota / period;
  return [{ kind: "threads", value, reason: `${name} allows ${value} processors` }];
}

function memoryLimit(bytes: number, name: string): readonly Limit[] {
  if (!(bytes > 0) || !Number.isFinite(bytes)) return [];
  return [{ kind: "memory", value: bytes, reason: `${name} allows ${bytes} bytes` }];
}

/** The innermost group with a set of processors; the kernel keeps it within those above. */
async function cpuset(
  read: Read,
  folders: readonly string[],
  files: readonly string[],
): Promise<readonly Limit[]> {
  for (const folder of folders) {
    for (const file of files) {
      const text = await read(`${folder}/${file}`);
      const cpus = text === null ? null : parseCpuList(text);
      if (cpus === null || cpus.length === 0) continue;
      const reason = `${file} of ${folder} allows the processors ${text}`;
      return [{ kind: "threads", value: cpus.length, reason }];
    }
  }
  return [];
}

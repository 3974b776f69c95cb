import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { createCpuGroup, hierarchiesOf } from "./execute-cgroup.ts";

const V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";

test("on a unified hierarchy the group's folder is below the mount", () => {
  expect(hierarchiesOf(V2, "0::/user.slice/session-1.scope\n")).toEqual([
    { version: 2, folder: "/sys/fs/cgroup/user.slice/session-1.scope" },
  ]);
});

test("in a container the mount's root is taken off the path", () => {
  const mount = "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw";
  expect(hierarchiesOf(mount, "0::/docker/abc/job")).toEqual([
    { version: 2, folder: "/sys/fs/cgroup/job" },
  ]);
  expect(hierarchiesOf(mount, "0::/../elsewhere")).toEqual([]);
});

test("version 1 counts only where cpuacct is mounted without cpu, and after version 2", () => {
  const accounting = "33 23 0:29 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct";
  const together = "33 23 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct";
  expect(hierarchiesOf(together, "2:cpu,cpuacct:/job")).toEqual([]);
  expect(hierarchiesOf(`${accounting}\n${V2}`, "2:cpuacct:/job\n0::/")).toEqual([
    { version: 2, folder: "/sys/fs/cgroup/" },
    { version: 1, folder: "/sys/fs/cgroup/cpuacct/job" },
  ]);
});

test("a host without control groups has none", () => {
  expect(hierarchiesOf("", "")).toEqual([]);
});

const result = createCpuGroup();
if (result.status === "absent") console.warn(`skipped: a real group (${result.reason})`);
else result.group.close();

test.skipIf(result.status === "absent")(
  "a real group counts what ran in it, reaped or not",
  async () => {
    const made = createCpuGroup();
    if (made.status === "absent") throw new Error(made.reason);
    const { group } = made;
    try {
      const before = group.cpuSeconds() ?? Number.NaN;
      const script = "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; times";
      const child = group.enclose(() => spawn("sh", ["-c", script]));
      let text = "";
      child.stdout.on("data", (data: Buffer) => {
        text += data.toString();
      });
      await once(child, "close");
      const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)];
      const kernel = times.reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
      const counted = (group.cpuSeconds() ?? Number.NaN) - before;
      // `times` is in hundredths of a second.
      expect(counted).toBeGreaterThan(kernel - 0.05);
      expect(counted).toBeLessThan(kernel + 0.1);
    } finally {
      group.close();
    }
    expect(group.cpuSeconds()).toBeNull();
  },
);

import { describe, expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { subjectLimits } from "./limits.ts";
import { tasksPerNode } from "./slurm-limits.ts";

const GIB = 2 ** 30;
const machine = { threads: 64, memoryBytes: 256 * GIB };

describe("control groups, version 2", () => {
  test("a group above that allows less than its own is what binds", async () => {
    const limits = await subjectLimits(loadMachine("server-pod-cgroup2"), machine);
    expect(limits.threads).toBe(2.5);
    expect(limits.memoryBytes).toBe(8 * GIB);
    expect(limits.reasons).toEqual([
      "cpu.max of /sys/fs/cgroup allows 2.5 processors",
      "memory.max of /sys/fs/cgroup allows 8589934592 bytes",
    ]);
  });

  test("without a quota the set of processors binds", async () => {
    const host = loadMachine("server-pod-cgroup2", {
      files: {
        "/sys/fs/cgroup/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/cri-containerd-abc.scope/cpu.max": "max 100000\n",
      },
    });
    const limits = await subjectLimits(host, machine);
    expect(limits.threads).toBe(16);
    expect(limits.reasons[0]).toContain("cpuset.cpus.effective");
  });

  test("a container that sees its own group as the root is limited by the root's files", async () => {
    const host = createFakeHost({
      files: {
        "/proc/self/cgroup": "0::/\n",
        "/proc/self/mountinfo":
          "40 30 0:29 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n",
        "/sys/fs/cgroup/cpu.max": "150000 100000\n",
        "/sys/fs/cgroup/memory.max": "1073741824\n",
      },
    });
    const limits = await subjectLimits(host, machine);
    expect(limits).toMatchObject({ threads: 1.5, memoryBytes: GIB });
  });

  test("a path outside of the namespace is not looked up anywhere", async () => {
    const host = createFakeHost({
      files: {
        "/proc/self/cgroup": "0::/../../secret\n",
        "/proc/self/mountinfo": "40 30 0:29 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
        "/sys/fs/cgroup/secret/cpu.max": "1000 100000\n",
      },
    });
    expect(await subjectLimits(host, machine)).toEqual({ ...machine, reasons: [] });
  });

  test("a limit that may not be read is said, not passed over", async () => {
    const host = loadMachine("server-pod-cgroup2", {
      files: { "/sys/fs/cgroup/memory.max": { fault: "EACCES" } },
    });
    const limits = await subjectLimits(host, machine);
    expect(limits.memoryBytes).toBe(machine.memoryBytes);
    expect(limits.reasons).toContain("/sys/fs/cgroup/memory.max cannot be read (EACCES)");
  });
});

describe("control groups, version 1", () => {
  test("the cpuset of the job and the memory of the job bind, not the root's", async () => {
    const limits = await subjectLimits(loadMachine("server-slurm-cgroup1"), machine);
    expect(limits.threads).toBe(8);
    expect(limits.memoryBytes).toBe(16 * GIB);
  });

  test("LONG_MAX in pages is the kernel's way to say no limit", async () => {
    const host = loadMachine("server-slurm-cgroup1", {
      files: {
        "/sys/fs/cgroup/memory/slurm/uid_1000/job_42/memory.limit_in_bytes":
          "9223372036854771712\n",
      },
    });
    expect((await subjectLimits(host, machine)).memoryBytes).toBe(machine.memoryBytes);
  });

  test("a quota counts in parts of a processor", async () => {
    const host = loadMachine("server-slurm-cgroup1", {
      files: { "/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us": "50000\n" },
    });
    expect((await subjectLimits(host, machine)).threads).toBe(0.5);
  });
});

describe("affinity and batch systems", () => {
  const bare = (env: Record<string, string>, allowed = "0-63") =>
    createFakeHost({
      env,
      files: { "/proc/self/status": `Name:\tnode\nCpus_allowed_list:\t${allowed}\n` },
    });

  test("taskset counts", async () => {
    const limits = await subjectLimits(bare({}, "3,5-7"), machine);
    expect(limits.threads).toBe(4);
    expect(limits.reasons).toEqual(["the CPU affinity allows the processors 3,5-7"]);
  });

  test("Slurm's processors and megabytes of a node bind", async () => {
    const env = { SLURM_JOB_ID: "42", SLURM_CPUS_ON_NODE: "12", SLURM_MEM_PER_NODE: "4096" };
    const limits = await subjectLimits(bare(env), machine);
    expect(limits).toMatchObject({ threads: 12, memoryBytes: 4 * GIB });
  });

  test("processors per task times the tasks of this very node", async () => {
    const env = {
      SLURM_JOB_ID: "42",
      SLURM_CPUS_PER_TASK: "4",
      SLURM_TASKS_PER_NODE: "2(x3),1",
      SLURM_NODEID: "3",
      SLURM_MEM_PER_CPU: "1024",
    };
    const limits = await subjectLimits(bare(env), machine);
    expect(limits).toMatchObject({ threads: 4, memoryBytes: 4 * GIB });
  });

  test("--mem=0 is the whole node", async () => {
    const env = { SLURM_JOB_ID: "42", SLURM_CPUS_ON_NODE: "64", SLURM_MEM_PER_NODE: "0" };
    expect(await subjectLimits(bare(env), machine)).toEqual({ ...machine, reasons: [] });
  });

  test("a leftover variable without a job means nothing, and nonsense is said", async () => {
    expect((await subjectLimits(bare({ SLURM_CPUS_ON_NODE: "1" }), machine)).threads).toBe(64);
    const env = { SLURM_JOB_ID: "42", SLURM_CPUS_ON_NODE: "many" };
    expect((await subjectLimits(bare(env), machine)).reasons).toEqual([
      'SLURM_CPUS_ON_NODE is "many", no number',
    ]);
  });
});

test("without /proc and /sys the machine is the limit", async () => {
  expect(await subjectLimits(createFakeHost({ platform: "darwin" }), machine)).toEqual({
    ...machine,
    reasons: [],
  });
  expect(await subjectLimits(createFakeHost(), machine)).toEqual({ ...machine, reasons: [] });
});

test("Slurm's short form of tasks is written out, and a hostile one is bounded", () => {
  expect(tasksPerNode("2(x3),1")).toEqual([2, 2, 2, 1]);
  expect(tasksPerNode("8")).toEqual([8]);
  expect(tasksPerNode("1(x99999999999)")).toHaveLength(100_000);
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { createNodeHost } from "../../core/host/node-host.ts";
import { isGone, processStart } from "./liveness.ts";

const onLinux = process.platform === "linux";
if (!onLinux) console.warn("skipped: zombies are looked for in /proc, which needs Linux");

let parent: ChildProcess | null = null;
afterEach(() => {
  parent?.kill("SIGKILL");
});

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, "utf8");

/** A process that lives until its line is written to it, below a parent that never waits for it. */
async function child(): Promise<{ readonly pid: number; end(): Promise<void> }> {
  // Without the redirection a shell gives what runs in the background /dev/null to read.
  const script = "exec 3<&0; sh -c 'read line <&3' & echo $!; exec sleep 60";
  const started = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  parent = started;
  const [line] = (await once(started.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  return {
    pid,
    async end() {
      started.stdin.write("go\n");
      while (!/\) Z /.test(statOf(pid))) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test.skipIf(!onLinux)("a process that was killed and not waited for is gone", async () => {
  const host = createNodeHost();
  const { pid, end } = await child();
  const pidStart = await processStart(host, pid);
  expect(pidStart).toMatch(/^[0-9a-f-]+:\d+$/);
  expect(await isGone(host, { pid, pidStart })).toBe(false);
  await end();
  expect(statOf(pid)).toContain(") Z ");
  expect(await isGone(host, { pid, pidStart })).toBe(true);
  expect(await processStart(host, pid)).toBeNull();
});

// Faults of processes: identifiers that are used again, children that nobody waits for, tables that cannot
// be read, tools that hang.

import type { Meter } from "../../src/measure/run/meter.ts";
import {
  COMMAND,
  commandSeconds,
  counters,
  powercap,
  SELF,
  statLine,
  worker,
} from "./counter-machines.ts";
import type { Fault, Rig } from "./fault.ts";
import { afterCrash } from "./file-faults.ts";
import { secondsOf } from "./load.ts";

/** The run ends as runs of commands do: after the command was waited for. */
const waitedFor =
  ({ host }: Rig) =>
  async (meter: Meter) => {
    const subjectS = (await counters.get(host)?.finish()) ?? null;
    return meter.stop({ subjectS });
  };

/** The command with its own time at a moment less what a child has, and the time of children waited for. */
const command = (host: Rig["host"], child: () => number, reaped: () => number): string => {
  const all = commandSeconds(secondsOf(host));
  return statLine({
    pid: COMMAND,
    parent: 4242,
    start: 200,
    cpuSeconds: all - child() - reaped(),
    reapedSeconds: reaped(),
  });
};

/** From second 10 to 30 the command works by a child, which it waits for when `reaps`. */
function withChild(rig: Rig, reaps: boolean): void {
  const { host, at } = rig;
  const parent = `/proc/${COMMAND}/stat`;
  const path = `/proc/${COMMAND + 1}/stat`;
  let begun = 0;
  let done = 0;
  const child = (): number => commandSeconds(secondsOf(host)) - begun;
  const line = (state: string) => () =>
    statLine({
      pid: COMMAND + 1,
      parent: COMMAND,
      start: 300,
      state,
      cpuSeconds: state === "Z" ? done : child(),
    });
  at(10, () => {
    begun = commandSeconds(secondsOf(host));
    host.files.set(path, line("R"));
    host.files.set(parent, () => command(host, child, () => 0));
  });
  at(30, () => {
    done = child();
    host.files.set(path, line("Z"));
    host.files.set(parent, () =>
      command(
        host,
        () => done,
        () => 0,
      ),
    );
    if (!reaps) return;
    host.files.delete(path);
    host.files.set(parent, () =>
      command(
        host,
        () => 0,
        () => done,
      ),
    );
  });
  rig.finish = waitedFor(rig);
}

export const processFaults: readonly Fault[] = [
  {
    name: "a stranger gets the process id of a child that has ended",
    on: worker,
    inject: (rig) => {
      withChild(rig, true);
      rig.at(32, () =>
        rig.host.files.set(`/proc/${COMMAND + 1}/stat`, () =>
          statLine({ pid: COMMAND + 1, parent: 1, start: 900, cpuSeconds: 500 }),
        ),
      );
    },
    expect: "unharmed",
    why: "a process is known by its id and its start time",
  },
  {
    name: "a child stays a zombie",
    on: worker,
    inject: (rig) => withChild(rig, false),
    expect: "unharmed",
    why: "its time still stands in the table, and is counted once",
  },
  {
    name: "the process table cannot be read any more",
    on: worker,
    inject: (rig) => {
      rig.at(25, () => rig.host.files.set(`/proc/${COMMAND}/stat`, { fault: "EACCES" }));
      rig.finish = waitedFor(rig);
    },
    expect: "notice",
    why: "without its CPU time the subject's share is not known for a part of the run",
  },
  {
    name: "the subject's use is never told",
    on: powercap,
    inject: (rig) => {
      rig.prepare = async () => ({ subjectUse: () => Promise.reject(new Error("hidepid")) });
    },
    expect: "notice",
    why: "the figures are the whole machine's, and say so",
  },
  {
    name: "asking for the subject's use hangs",
    on: powercap,
    inject: (rig) => {
      rig.prepare = async () => ({ subjectUse: () => new Promise(() => {}) });
    },
    expect: "notice",
    why: "a tool that hangs costs the share, not the run",
  },
  {
    name: "the kernel's CPU times are garbage",
    on: powercap,
    inject: ({ host }) => host.files.set("/proc/stat", "intr 12 34\n"),
    expect: "notice",
    why: "the figures are the whole machine's, and say so",
  },
  {
    name: "processors go offline and take their CPU time with them",
    on: powercap,
    inject: ({ host, at }) => {
      const sound = host.files.get("/proc/stat");
      at(30, () =>
        host.files.set("/proc/stat", () => {
          const text = typeof sound === "function" ? sound() : "";
          return text.replace(/^cpu {2}(\d+)/, (_, ticks) => `cpu  ${Math.round(ticks / 4)}`);
        }),
      );
    },
    expect: "unharmed",
    why: "the machine's energy is its counters'; busy time that falls changes no energy",
  },
  {
    name: "after a crash a stranger has the process id of the run",
    on: powercap,
    inject: (rig) => {
      for (const [path, text] of Object.entries(SELF)) rig.host.files.set(path, text);
      afterCrash(rig, () => {
        const stranger = statLine({ pid: 4242, parent: 1, start: 99_999 });
        rig.host.files.set("/proc/4242/stat", stranger);
      });
    },
    expect: "notice",
    why: "another start time is another process: the run was interrupted",
  },
  {
    name: "after a crash the run is a zombie",
    on: powercap,
    inject: (rig) => {
      for (const [path, text] of Object.entries(SELF)) rig.host.files.set(path, text);
      afterCrash(rig, () => {
        const zombie = statLine({ pid: 4242, parent: 1, start: 100, state: "Z" });
        rig.host.files.set("/proc/4242/stat", zombie);
      });
    },
    expect: "notice",
    why: "a process that has ended writes no more: the run was interrupted",
  },
];

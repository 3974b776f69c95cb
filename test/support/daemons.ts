// Server processes of a test: started, ended as by a power cut, started again; none outlives the test.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface Daemon {
  readonly name: string;
  readonly running: boolean;
  /** Starts it, with arguments besides its usual ones. */
  start(...more: readonly string[]): void;
  /** Ends it at once, without waiting. */
  kill(): void;
  /** Ends it by a signal and waits until it has. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** A daemon that is not started yet; it runs in the foreground and writes to `log`. */
export function createDaemon(of: {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
  readonly user: string | undefined;
}): Daemon {
  let running: ChildProcess | null = null;
  const account = of.user === undefined ? {} : accountOf(of.user);
  return {
    name: of.name,
    get running() {
      return running !== null;
    },
    start(...more) {
      // The signal reaches the daemon even when this process is killed.
      const [command, ...args] = existsSync("/usr/bin/setpriv")
        ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", of.command, ...of.args, ...more]
        : [of.command, ...of.args, ...more];
      const log = openSync(of.log, "a");
      const daemon = spawn(command ?? "", args, {
        ...account,
        env: of.env,
        cwd: "/",
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      daemon.once("exit", () => {
        if (running === daemon) running = null;
      });
      running = daemon;
    },
    kill: () => void running?.kill("SIGKILL"),
    async end(signal) {
      if (running === null) return;
      const ended = once(running, "exit");
      running.kill(signal);
      await ended;
    },
  };
}

function accountOf(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(execFileSync("id", [flag, name]));
  return { uid: id("-u"), gid: id("-g") };
}

/** Ports on loopback that are free now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, "close")));
  return ports;
}

/** Whether something accepts connections on a port of loopback. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (value: boolean) => (): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", answer(true)).once("error", answer(false));
  });
}

/** Waits until something holds; after `limitMs` the test fails with its name. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const last = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > last) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(50);
  }
}

/** Kills every process with this variable, written `NAME=value`, in its environment, but not this one. */
export function killMarked(variable: string): void {
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const pid = Number(entry);
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      if (pid !== process.pid && variables.includes(variable)) process.kill(pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  }
}

// `godwit run` from outside: a real process, real children, real signals and a real terminal.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Card } from "../src/core/card.ts";
import { launch } from "../src/measure/run/execute.ts";

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");
const DRIVER = join(import.meta.dirname, "support/pty_driver.py");
const LONG = 60_000;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  GODWIT_LEDGER: join(folder, "ledger"),
  GODWIT_LOCATION: "DE",
});

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

interface Setting {
  readonly input?: string | Buffer;
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  /** Called once the process runs. */
  readonly during?: (child: ChildProcess, output: () => string) => Promise<void>;
}

async function godwit(args: readonly string[], setting: Setting = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...environment(), ...setting.env },
    cwd: setting.cwd ?? folder,
  });
  const out: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => out.push(data));
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdin.on("error", () => {});
  child.stdin.end(setting.input ?? "");
  const closed = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  await setting.during?.(child, () => Buffer.concat(out).toString());
  return { ...(await closed), stdout: Buffer.concat(out), stderr };
}

/** Waits for something that another process does. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it did not happen");
    await delay(20);
  }
}

const run = (script: string, setting?: Setting): Promise<Outcome> =>
  godwit(["run", "--", "sh", "-c", script], setting);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("the command's own result", () => {
  test("every exit code from 0 to 255 is told by the executor", async () => {
    for (let code = 0; code < 256; code++) {
      const running = await launch({
        command: "sh",
        args: ["-c", `exit ${code}`],
        env: process.env,
        inherited: [],
        group: null,
        ignoreHangup: false,
      });
      expect(await running.ended).toEqual({ code, signal: null });
    }
  });

  test.each([0, 1, 2, 125, 130, 255])(
    "exit code %d is godwit's exit code",
    { timeout: LONG },
    async (code) => {
      expect(await run(`exit ${code}`)).toMatchObject({ code, signal: null, stderr: "" });
    },
  );

  test.each(["SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGSEGV", "SIGABRT", "SIGPIPE"] as const)(
    "a command ended by %s ends godwit by it",
    { timeout: LONG },
    async (signal) => {
      const number = constants.signals[signal];
      expect(await run(`ulimit -c 0; kill -${number} $$`)).toMatchObject({ code: null, signal });
    },
  );

  test("bytes in and out are the same, whatever they are", { timeout: LONG }, async () => {
    const bytes = Buffer.from(
      Array.from({ length: 300_000 }, (_, i) => (i * 7919 + (i >> 8)) & 255),
    );
    const { stdout, stderr, code } = await godwit(["run", "cat"], { input: bytes });
    expect(stdout.equals(bytes)).toBe(true);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  });

  test("options after the command are the command's", { timeout: LONG }, async () => {
    const { stdout } = await godwit(["run", "echo", "--json", "-n", "3", "--", "--help"]);
    expect(stdout.toString()).toBe("--json -n 3 -- --help\n");
  });

  test("further open files reach the command", { timeout: LONG }, () => {
    const script = `"$0" "$1" run sh -c 'cat <&3; echo five >&5' 3<<HERE 5>&1\nthree\nHERE`;
    const { stdout } = spawnSync("bash", ["-c", script, process.execPath, MAIN], {
      env: environment(),
      cwd: folder,
    });
    expect(stdout.toString()).toBe("three\nfive\n");
  });

  test("a reader that goes away ends the command by SIGPIPE, quietly", { timeout: LONG }, () => {
    const script = 'set -o pipefail; "$0" "$1" run yes | head -n 1; echo $?';
    const { stdout, stderr } = spawnSync("bash", ["-c", script, process.execPath, MAIN], {
      env: environment(),
      cwd: folder,
    });
    expect({ stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
      stdout: "y\n141\n",
      stderr: "",
    });
  });

  test("a summary that nobody reads does not change the result", { timeout: LONG }, () => {
    const script =
      '{ "$0" "$1" run --summary sh -c "exit 5"; echo $? >&3; } 2>&1 >/dev/null | true';
    const { output } = spawnSync("bash", ["-c", script, process.execPath, MAIN], {
      env: environment(),
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    expect(output[3]?.toString()).toBe("5\n");
  });
});

describe("a command that cannot be started", () => {
  test("one that does not exist is 127, in the shell's words", { timeout: LONG }, async () => {
    const { code, stderr } = await godwit(["run", "no-such-command-here"]);
    expect(code).toBe(127);
    expect(stderr).toContain("no-such-command-here: command not found");
    expect(stderr).not.toContain("    at ");
    const path = await godwit(["run", "./no/such/file"]);
    expect(path).toMatchObject({ code: 127, stderr: expect.stringContaining("No such file") });
  });

  test("one that is not executable is 126", { timeout: LONG }, async () => {
    const file = join(folder, "plain.txt");
    writeFileSync(file, "text");
    expect(await godwit(["run", file])).toMatchObject({
      code: 126,
      stderr: expect.stringContaining("Permission denied"),
    });
    const directory = await godwit(["run", folder]);
    expect(directory).toMatchObject({
      code: 126,
      stderr: expect.stringContaining("Is a directory"),
    });
    expect(directory.stderr).not.toContain("chmod");
  });

  test.each([[], ["--epoch-pattern", "x"]])(
    "leaves no run behind, and nothing waits (%j)",
    { timeout: LONG },
    async (...options) => {
      const ledger = join(folder, `unstarted-${options.length}`);
      const args = ["--ledger", ledger, ...options, "no-such-command-here"];
      expect(await godwit(["run", ...args])).toMatchObject({ code: 127 });
      expect(readdirSync(join(ledger, "segments"))).toEqual([]);
    },
  );

  test("a script whose interpreter is missing says so", { timeout: LONG }, async () => {
    const file = join(folder, "script");
    writeFileSync(file, "#!/no/such/interpreter\n");
    chmodSync(file, 0o755);
    expect(await godwit(["run", file])).toMatchObject({
      code: 127,
      stderr: expect.stringContaining("required file not found"),
    });
  });
});

describe("wrong usage", () => {
  test.each([
    [["run", "--nmae", "x", "true"], "Did you mean --name?"],
    [["rnu", "true"], "Did you mean run?"],
    [["run"], "missing required argument"],
    [["run", "--intensity", "-5", "true"], "cannot be right"],
    [["run", "--intensity", "0.4kg", "true"], "Give grams per kWh: 400."],
    [["run", "--location", "Germny", "true"], "Did you mean Germany?"],
    [["run", "--interval", "soon", "true"], "500ms"],
    [["run", "--max-energy", "5", "true"], "2kWh"],
    [["run", "--epochs", "5", "true"], "--epoch-pattern"],
    [["run", "--epoch-pattern", "(", "true"], "not a regular expression"],
    [["run", "--model", "no.onnx", "true"], "--model: cannot read no.onnx"],
    [["run", "--meter", "no-meter.txt", "true"], "no-meter.txt"],
    [["run", "--json", "no/such/folder.json", "true"], "cannot write"],
    [["run", "--pue", "0.5", "true"], "PUE"],
  ])("%j exits with 2 and says %j", { timeout: LONG }, async (args, words) => {
    const { code, stderr, stdout } = await godwit(args);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain("    at ");
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: "" });
  });

  test("--require measured refuses to run on estimates, before the command", {
    timeout: LONG,
  }, async () => {
    const { code, stderr, stdout } = await godwit(["run", "--require", "measured", "echo", "ran"]);
    // A machine with a sensor that can be read runs the command.
    if (code === 0) expect(stdout.toString()).toBe("ran\n");
    else
      expect({ code, ran: stdout.toString(), says: stderr.includes("sensor") }).toEqual({
        code: 3,
        ran: "",
        says: true,
      });
  });
});

describe("signals", () => {
  const COUNTING = (signal: string): string =>
    `n=0; trap 'n=$((n+1))' ${signal}; echo ready; i=0; while [ $n = 0 ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done; sleep 0.5; echo "$n"`;

  test.each(["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"])(
    "SIG%s sent to godwit alone reaches the command, once",
    { timeout: LONG },
    async (name) => {
      const { code, stdout } = await run(COUNTING(name), {
        async during(child, output) {
          await until(() => output().includes("ready"));
          child.kill(`SIG${name}` as NodeJS.Signals);
        },
      });
      expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "ready\n1\n" });
    },
  );

  test.each(["INT", "TERM", "HUP", "USR1"])(
    "SIG%s sent to the whole group reaches the command once, not twice",
    { timeout: LONG },
    async (name) => {
      const child = spawn(process.execPath, [MAIN, "run", "sh", "-c", COUNTING(name)], {
        env: environment(),
        cwd: folder,
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (data: Buffer) => {
        output += data.toString();
      });
      const closed = new Promise((resolve) => child.on("close", resolve));
      await until(() => output.includes("ready"));
      process.kill(-(child.pid ?? 0), `SIG${name}`);
      expect(await closed).toBe(0);
      expect(output).toBe("ready\n1\n");
    },
  );

  test("nohup keeps the command from a hang-up", { timeout: LONG }, async () => {
    const script = `nohup "$0" "$1" run sh -c 'kill -HUP $$; echo survived'`;
    const { stdout } = spawnSync("bash", ["-c", `${script}; true`, process.execPath, MAIN], {
      env: environment(),
      cwd: folder,
    });
    expect(stdout.toString()).toBe("survived\n");
  });

  test("a command ended by a signal leaves an interrupted card", { timeout: LONG }, async () => {
    const { stdout, signal } = await godwit(["run", "--json", "-", "sleep", "30"], {
      async during(child) {
        await until(() => childrenOf(child.pid ?? 0).length > 1);
        await delay(300);
        child.kill("SIGTERM");
      },
    });
    expect(signal).toBe("SIGTERM");
    expect(JSON.parse(stdout.toString())).toMatchObject({
      status: "interrupted",
      exit: { code: null, signal: "SIGTERM" },
    });
  });
});

function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, "utf8");
        return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe("what is kept", () => {
  const cardOf = async (args: readonly string[], setting?: Setting): Promise<Card> => {
    const { stdout } = await godwit(["run", "--json", "-", ...args], setting);
    return JSON.parse(stdout.toString()) as Card;
  };

  test("a card says what was run, under which name and tags", { timeout: LONG }, async () => {
    const model = join(folder, "model.bin");
    writeFileSync(model, Buffer.alloc(1234));
    const args = ["--name", "night", "--tag", "a=b", "--tag", "c=d=e", "--model", model];
    const card = await cardOf([...args, "--intensity", "50", "true"]);
    expect(card).toMatchObject({
      schema: "godwit.card/1",
      status: "complete",
      exit: { code: 0, signal: null },
      subject: { name: "night", command: ["true"], tags: { a: "b", c: "d=e" } },
      measures: { modelSize: { value: 1234 } },
      signal: { intensity: { value: 50 } },
    });
  });

  test("the CPU time of a thousand short children is not lost", { timeout: LONG }, async () => {
    const script = "i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done; times";
    const { stdout } = await godwit(["run", "--json", "card.json", "bash", "-c", script]);
    const card = JSON.parse(readFileSync(join(folder, "card.json"), "utf8")) as Card;
    // `times`: user and system time of the shell, then of its children.
    const times = [...stdout.toString().matchAll(/(\d+)m([\d.]+)s/g)];
    const kernel = times.reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
    expect(times).toHaveLength(4);
    expect(Math.abs((card.measures.cpuTime?.value ?? 0) / kernel - 1)).toBeLessThan(0.02);
  });

  test("several runs are summed up, with a card for each", { timeout: LONG }, async () => {
    const { stdout } = await run("echo ran", {});
    expect(stdout.toString()).toBe("ran\n");
    const args = ["run", "-n", "3", "--warmup", "1", "--json", "runs.json", "--summary"];
    const several = await godwit([...args, "sh", "-c", "echo ran"]);
    expect(several.stdout.toString()).toBe("ran\n".repeat(4));
    expect(several.stderr).toMatch(/3 runs[\s\S]*time .* ± .* to /);
    const json = JSON.parse(readFileSync(join(folder, "runs.json"), "utf8"));
    expect(json).toMatchObject({ schema: "godwit.runs/1", summary: { duration_s: { runs: 3 } } });
    expect(json.runs).toHaveLength(3);
  });

  test("the first of several runs that fails is the last", { timeout: LONG }, async () => {
    const args = ["run", "-n", "5", "--summary", "--json", "short.json"];
    const { code, stdout, stderr } = await godwit([...args, "sh", "-c", "echo ran; exit 9"]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 9, stdout: "ran\n" });
    expect(stderr).toMatch(/1 of 5 runs[\s\S]*stopped: the last run ended with exit code 9/);
    // What was asked for decides the schema, not how it went.
    const json = JSON.parse(readFileSync(join(folder, "short.json"), "utf8"));
    expect(json).toMatchObject({ schema: "godwit.runs/1", runs: [{ exit: { code: 9 } }] });
  });

  test("a ledger that cannot be written costs a notice, not the run", {
    timeout: LONG,
  }, async () => {
    const blocked = join(folder, "blocked");
    writeFileSync(blocked, "a file where a folder should be");
    const { code, stdout, stderr } = await godwit([
      "run",
      "--summary",
      "--ledger",
      join(blocked, "ledger"),
      "echo",
      "ran",
    ]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "ran\n" });
    expect(stderr).toContain("was not kept");
    expect(stderr).not.toContain("    at ");
  });

  test("without a summary, that nothing is left of a run is said all the same", {
    timeout: LONG,
  }, async () => {
    const file = join(folder, "file");
    writeFileSync(file, "a file where a folder should be");
    const lost = await godwit(["run", "--quiet", "--ledger", join(file, "ledger"), "true"]);
    expect(lost.code).toBe(0);
    expect(lost.stderr).toMatch(/^godwit: this run was not kept: /m);
    const kept = await godwit(["run", "--ledger", join(folder, "fine"), "true"]);
    expect(kept.stderr).toBe("");
  });

  test.skipIf(process.platform !== "linux" || process.getuid?.() !== 0).for([
    { name: "a full disk", option: "size=4k" },
    { name: "a read-only file system", option: "ro" },
  ])("$name costs a notice, not the run", { timeout: LONG }, async ({ name, option }, { skip }) => {
    const disk = join(folder, name);
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", option, "tmpfs", disk]);
    if (mounted.status !== 0) return skip("no file system can be mounted here");
    try {
      const args = ["run", "--summary", "--interval", "50ms", "--ledger", join(disk, "l")];
      const { code, stdout, stderr } = await godwit([...args, "sh", "-c", "sleep 1; echo ran"]);
      expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "ran\n" });
      expect(stderr).toMatch(/not kept|not being saved/);
    } finally {
      spawnSync("umount", [disk]);
    }
  });

  test.skipIf(process.platform === "win32")(
    "in a folder that was deleted the command runs all the same",
    { timeout: LONG },
    async () => {
      const gone = join(folder, "gone");
      mkdirSync(gone);
      const script = 'rmdir "$PWD" && exec "$0" "$1" run echo ran';
      const child = spawnSync("sh", ["-c", script, process.execPath, MAIN], {
        env: environment(),
        cwd: gone,
      });
      const [stdout, stderr] = [child.stdout.toString(), child.stderr.toString()];
      expect({ code: child.status, stdout, stderr }).toEqual({
        code: 0,
        stdout: "ran\n",
        stderr: "",
      });
    },
  );

  test.skipIf(process.platform !== "linux")(
    "an output that could not be written is a fault, but never the command's",
    { timeout: LONG },
    async () => {
      const full = openSync("/dev/full", "w");
      const ends = [["zones"], ["run", "--json", "-", "true"]].map((args) => {
        const stdio: ["ignore", number, "pipe"] = ["ignore", full, "pipe"];
        return spawnSync(process.execPath, [MAIN, ...args], { env: environment(), stdio });
      });
      closeSync(full);
      expect(ends.map(({ status }) => status)).toEqual([1, 0]);
      for (const { stderr } of ends) {
        expect(stderr.toString()).toMatch(/^error: standard output could not be written: ENOSPC/);
      }
    },
  );

  test.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
    "without /proc, or without /sys, what can be known still is",
    { timeout: LONG },
    ({ skip }) => {
      const hide = ["-m", "mount", "-t", "tmpfs", "tmpfs", "/sys"];
      if (spawnSync("unshare", hide).status !== 0) return skip("no folder can be hidden here");
      for (const missing of ["/proc", "/sys"]) {
        const script = 'mount -t tmpfs tmpfs "$0" && exec "$@"';
        const args = [MAIN, "run", "--json", "-", "sh", "-c", "sleep 0.1; exit 3"];
        const inside = ["-m", "sh", "-c", script, missing, process.execPath, ...args];
        const { status, stdout } = spawnSync("unshare", inside, { env: environment() });
        expect(status, missing).toBe(3);
        const card = JSON.parse(stdout.toString()) as Card;
        expect(card.measures.energy?.gross.value).toBeGreaterThan(0);
        expect(card.machine.cpu.threads).toBeGreaterThan(0);
      }
    },
  );

  test("without HOME everything still works", { timeout: LONG }, async () => {
    const env = { HOME: undefined, GODWIT_LEDGER: undefined };
    const home = join(folder, "homeless");
    mkdirSync(home);
    const { code, stdout, stderr } = await godwit(["run", "echo", "ran"], { env, cwd: home });
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({
      code: 0,
      stdout: "ran\n",
      stderr: "",
    });
  });

  test("a budget stops the command and exits with 4", { timeout: LONG }, async () => {
    const args = ["run", "--max-energy", "0.1J", "--on-exceed", "stop", "--interval", "100ms"];
    const { code, stderr } = await godwit([...args, "sleep", "30"]);
    expect(code).toBe(4);
    expect(stderr).toContain("the budget of 100 mJ is used up");
  });

  test("a budget that only warns lets the command end", { timeout: LONG }, async () => {
    const args = ["run", "--max-energy", "0.1J", "--interval", "100ms"];
    const { code, stderr, stdout } = await godwit([...args, "sh", "-c", "sleep 1; echo ran"]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "ran\n" });
    expect(stderr).toContain("is used up");
  });
});

describe("when something is killed", () => {
  const SCRIPT =
    'echo "pid $$"; i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; echo done';

  test.each([[[]], [["--epoch-pattern", "Epoch (\\d+)"]]])(
    "kill -9 of godwit with %j: the command goes on and keeps its output",
    { timeout: LONG },
    async (options) => {
      const ledger = mkdtempSync(join(folder, "killed-"));
      const file = join(ledger, "output");
      const out = openSync(file, "w");
      // Through a pipe, which is where a reader that dies would harm.
      const cat = spawn("cat", { stdio: ["pipe", out, "ignore"] });
      closeSync(out);
      const args = ["run", "--interval", "100ms", "--ledger", ledger, ...options, "--"];
      const child = spawn(process.execPath, [MAIN, ...args, "sh", "-c", SCRIPT], {
        env: environment(),
        stdio: ["ignore", cat.stdin, "ignore"],
      });
      cat.stdin?.destroy();
      await until(() => readFileSync(file, "utf8").includes("pid"));
      await delay(500);
      child.kill("SIGKILL");
      await until(() => readFileSync(file, "utf8").includes("done"));
      const segments = readdirSync(join(ledger, "segments"));
      expect(segments).toHaveLength(1);
      const lines = readFileSync(join(ledger, "segments", segments[0] ?? ""), "utf8")
        .trim()
        .split("\n");
      const records = lines.map((line) => JSON.parse(line));
      expect(records[0]).toMatchObject({ type: "start", schema: "godwit.segment/1" });
      const last = records.findLast(({ type }) => type === "tick");
      expect(last.t).toBeGreaterThan(0.3);
    },
  );

  test("kill -9 of the command: godwit tells it and keeps the card", {
    timeout: LONG,
  }, async () => {
    const { signal, stdout } = await godwit(["run", "--json", "killed.json", "sh", "-c", SCRIPT], {
      async during(_, output) {
        await until(() => output().includes("pid"));
        process.kill(Number(/pid (\d+)/.exec(output())?.[1]), "SIGKILL");
      },
    });
    expect(signal).toBe("SIGKILL");
    expect(stdout.toString()).not.toContain("done");
    expect(JSON.parse(readFileSync(join(folder, "killed.json"), "utf8"))).toMatchObject({
      status: "failed",
      exit: { code: null, signal: "SIGKILL" },
    });
  });

  test("kill -9 of both leaves nothing running", { timeout: LONG }, async () => {
    let pid = 0;
    await run(SCRIPT, {
      async during(child, output) {
        await until(() => output().includes("pid"));
        pid = Number(/pid (\d+)/.exec(output())?.[1]);
        child.kill("SIGKILL");
        process.kill(pid, "SIGKILL");
      },
    });
    await until(() => !isAlive(pid));
  });
});

describe("epochs", () => {
  const TRAINING = 'for e in 1 2 3 4 5 6; do echo "Epoch $e/6"; sleep 0.3; done; echo end';
  const args = ["--epoch-pattern", "Epoch (\\d+)", "--epochs", "6", "--json", "epochs.json"];

  test.each(["pipe", "file"])(
    "are seen in a %s, whose bytes stay the same",
    { timeout: LONG },
    async (kind) => {
      const file = join(folder, "train.log");
      const out = kind === "file" ? openSync(file, "w") : null;
      const child = spawn(process.execPath, [MAIN, "run", ...args, "sh", "-c", TRAINING], {
        env: environment(),
        cwd: folder,
        stdio: ["ignore", out ?? "pipe", "inherit"],
      });
      let text = "";
      child.stdout?.on("data", (data: Buffer) => {
        text += data.toString();
      });
      expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
      if (out !== null) text = readFileSync(file, "utf8");
      expect(text).toBe(`${[1, 2, 3, 4, 5, 6].map((e) => `Epoch ${e}/6\n`).join("")}end\n`);
      const card = JSON.parse(readFileSync(join(folder, "epochs.json"), "utf8")) as Card;
      expect(card.spans.map(({ name }) => name)).toEqual([
        "start-up",
        ...[1, 2, 3, 4, 5, 6].map((e) => `epoch ${e}`),
      ]);
    },
  );

  test("are counted once where two outputs end in one file", { timeout: LONG }, () => {
    const script = '"$0" "$@" 2>>both.log | tee -a both.log';
    const command = [process.execPath, MAIN, "run", ...args, "sh", "-c", TRAINING];
    spawnSync("bash", ["-c", script, ...command], { env: environment(), cwd: folder });
    const card = JSON.parse(readFileSync(join(folder, "epochs.json"), "utf8")) as Card;
    expect(card.spans).toHaveLength(7);
  });

  test("bytes through the relay are the same, whatever they are", { timeout: LONG }, async () => {
    const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 31 + (i >> 9)) & 255));
    writeFileSync(join(folder, "bytes"), bytes);
    const { stdout, stderr, code } = await godwit(["run", "--epoch-pattern", "x", "cat", "bytes"]);
    expect(stdout.equals(bytes)).toBe(true);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  });

  test("output and errors that share a pipe keep their order", { timeout: LONG }, () => {
    const script = `"$0" "$1" run --epoch-pattern x sh -c 'for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done' 2>&1`;
    const { stdout } = spawnSync("bash", ["-c", script, process.execPath, MAIN], {
      env: environment(),
      cwd: folder,
    });
    expect(stdout.toString()).toBe([1, 2, 3, 4, 5].map((i) => `o${i}\ne${i}\n`).join(""));
  });

  test("a reader that goes away reaches the command through the relay", { timeout: LONG }, () => {
    const script = 'set -o pipefail; "$0" "$1" run --epoch-pattern x yes | head -n 1; echo $?';
    const { stdout } = spawnSync("bash", ["-c", script, process.execPath, MAIN], {
      env: environment(),
      cwd: folder,
    });
    expect(stdout.toString()).toBe("y\n141\n");
  });
});

const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;
if (!hasPython) console.warn("skipped: tests on a terminal need python3");

describe.skipIf(!hasPython)("on a terminal", () => {
  const onTerminal = (
    args: readonly string[],
    steps: readonly (readonly (string | number)[])[],
  ): { output: string; code: number | null; signal: number | null } => {
    const request = {
      command: [process.execPath, MAIN, "run", ...args],
      env: { ...environment(), TERM: "xterm" },
      steps,
    };
    return JSON.parse(
      execFileSync("python3", [DRIVER, JSON.stringify(request)], { cwd: folder, encoding: "utf8" }),
    );
  };

  // `exec`: a shell that has just forked may lose a Ctrl-C before its child is another program.
  const SLEEPING = "echo ready; exec sleep 30";
  const EPOCHS = ["--epoch-pattern", "Epoch (\\d+)"];

  test.each([[[]], [EPOCHS]])(
    "with %j the command sees a terminal of the right size, also after a resize",
    { timeout: LONG },
    (options) => {
      const script =
        '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal; stty size <&1; trap "stty size <&1; exit 0" WINCH; echo ready; while :; do sleep 0.05; done';
      const { output, code } = onTerminal(
        ["--quiet", ...options, "sh", "-c", script],
        [
          ["expect", "ready"],
          ["resize", 50, 132],
          ["expect", "50 132"],
        ],
      );
      // Being told of a new size twice is allowed.
      expect(output).toMatch(/^terminal\r\n24 80\r\nready\r\n(50 132\r\n){1,2}$/);
      expect(code).toBe(0);
    },
  );

  test.each([[[]], [EPOCHS]])(
    "with %j Ctrl-C reaches the command once",
    { timeout: LONG },
    (options) => {
      const script =
        'n=0; trap "n=\\$((n+1))" INT; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.5; echo "count $n"';
      const { output, code } = onTerminal(
        ["--quiet", ...options, "sh", "-c", script],
        [
          ["expect", "ready"],
          ["send", "\u0003"],
          ["expect", "count"],
        ],
      );
      expect(output).toContain("count 1");
      expect(code).toBe(0);
    },
  );

  test("Ctrl-C twice: the command gets both and the summary still comes", { timeout: LONG }, () => {
    const script =
      'n=0; trap "n=\\$((n+1)); echo got \\$n" INT; echo ready; while [ $n -lt 2 ]; do sleep 0.05; done; exit 3';
    const { output, code } = onTerminal(
      ["sh", "-c", script],
      [
        ["expect", "ready"],
        ["send", "\u0003"],
        ["expect", "got 1"],
        ["send", "\u0003"],
      ],
    );
    expect(output).toContain("got 2");
    expect(output).toContain("cpu time");
    expect(code).toBe(3);
  });

  test("a command that dies of Ctrl-C leaves its summary and dies by SIGINT", {
    timeout: LONG,
  }, () => {
    const { output, signal } = onTerminal(
      ["sh", "-c", SLEEPING],
      [
        ["expect", "ready"],
        ["send", "\u0003"],
      ],
    );
    expect(output).toContain("interrupted");
    expect(signal).toBe(constants.signals.SIGINT);
  });

  test("input typed at the terminal reaches the command", { timeout: LONG }, () => {
    const { output } = onTerminal(
      ["--quiet", ...EPOCHS, "sh", "-c", 'echo ready; read line; echo "read: $line"'],
      [
        ["expect", "ready"],
        ["send", "typed\n"],
        ["expect", "read: typed"],
      ],
    );
    expect(output).toContain("read: typed");
  });

  // The job's parent is a shell, so that its group is not orphaned and may be stopped.
  test("Ctrl-Z stops the job and fg goes on with it", { timeout: LONG }, () => {
    const request = {
      command: ["bash", "--norc", "-i"],
      env: { ...environment(), TERM: "xterm", PS1: "$ " },
      steps: [
        [
          "send",
          `'${process.execPath}' '${MAIN}' run --quiet sh -c 'echo rea""dy; sleep 1; echo fin""ished'\n`,
        ],
        ["expect", "ready"],
        ["send", "\u001a"],
        ["expect", "Stopped"],
        ["send", "fg\n"],
        ["expect", "finished"],
        ["send", "exit 0\n"],
      ],
    };
    const { output } = JSON.parse(
      execFileSync("python3", [DRIVER, JSON.stringify(request)], { cwd: folder, encoding: "utf8" }),
    );
    expect(output).toContain("finished");
  });

  test("a terminal gets the summary without asking, and --quiet keeps it away", {
    timeout: LONG,
  }, () => {
    expect(onTerminal(["true"], []).output).toContain("cpu time");
    expect(onTerminal(["--quiet", "true"], []).output).toBe("");
  });
});

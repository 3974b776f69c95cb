// Jobs for real: processes, signals, kills, full disks and hostile words.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { jobProcesses, openJobStore, ownIdentity } from "../src/systems/schedule/jobs/index.ts";
import { ALWAYS, host, LONG, setUp, stateOf, until } from "./jobs-rig.ts";

describe.skipIf(process.platform !== "linux").concurrent("with real processes", () => {
  test("an agent and a supervisor are killed: nothing is lost or doubled", {
    timeout: LONG,
  }, async () => {
    const { folder, forecast, godwit, submit, show, agent } = setUp();
    forecast(0, 1, 2);
    const note = "echo run >> runs; sleep 1; echo end >> runs";
    const first = await submit(["--deadline", "+60s", "--duration", "3s"], ["sh", "-c", note]);
    const one = agent();
    await until(
      () => show(first.id),
      ({ state }) => state === "running",
    );
    one.kill("SIGKILL");
    // Nobody is there when it ends; its supervisor tells all the same.
    const done = await until(
      () => show(first.id),
      ({ state }) => state === "done",
    );
    expect(done.cards).toHaveLength(1);
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("run\nend\n");

    const note2 = "echo run >> runs2; sleep 1; echo end >> runs2";
    const second = await submit(
      ["--deadline", "+60s", "--duration", "3s", "--pin"],
      ["sh", "-c", note2],
    );
    agent();
    const { pid } = await until(
      () => show(second.id),
      ({ state }) => state === "running",
    );
    const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
    process.kill(parent, "SIGKILL");
    const lost = await until(
      () => show(second.id),
      ({ state }) => state === "failed",
    );
    expect(lost.reason).toMatch(/how it ended is not known/);
    expect(readFileSync(join(folder, "runs2"), "utf8")).toBe("run\nend\n");
    expect((await godwit(["runs", "--json"])).out).toContain(done.cards[0]);
  });

  test("all of a job stands still and goes on, its children's groups too", {
    timeout: LONG,
  }, async () => {
    const { folder, forecast, submit, show, agent } = setUp();
    forecast(...ALWAYS);
    // A child in a process group of its own, as job control makes them.
    const script =
      "set -m; sh -c 'while :; do sleep 0.1; done' & echo $! > child; set +m; " +
      "while [ ! -f go ]; do sleep 0.1; done; kill $!";
    const { id } = await submit(
      ["--deadline", "+75s", "--duration", "25s", "--interruptible"],
      ["sh", "-c", script],
    );
    agent("--refresh", "1s");
    await until(
      () => existsSync(join(folder, "child")),
      (exists) => exists,
    );
    // What is clean now comes later by a newer forecast, and then now by another.
    forecast(...ALWAYS.filter((step) => step > 8));
    const paused = await until(
      () => show(id),
      ({ state }) => state === "paused",
    );
    const child = Number(readFileSync(join(folder, "child"), "utf8"));
    await until(
      () => [paused.pid ?? 0, child].map(stateOf).join(""),
      (states) => states === "TT",
    );
    writeFileSync(join(folder, "go"), "");
    forecast(...ALWAYS);
    const ended = await until(
      () => show(id),
      ({ state }) => state === "done",
    );
    expect(ended.ran.length).toBeGreaterThan(1);
    expect(ended.attempts).toBe(1);
  });

  test("a job saves itself by its command, ends, and goes on from there", {
    timeout: LONG,
  }, async () => {
    const { folder, forecast, submit, show, agent } = setUp();
    forecast(...ALWAYS);
    const script = `
      if [ -f saved ]; then echo "on from $(cat saved)"; exit 0; fi
      trap 'echo here > saved; exit 0' USR1
      echo begun > begun
      while :; do sleep 0.1; done`;
    const save = 'echo "$GODWIT_JOB_ID" >> asked; kill -USR1 "$GODWIT_JOB_PID"';
    const { id } = await submit(
      ["--deadline", "+75s", "--duration", "25s", "--checkpoint-cmd", save],
      ["sh", "-c", script],
    );
    agent("--refresh", "1s");
    await until(
      () => existsSync(join(folder, "begun")),
      (begun) => begun,
    );
    // What is clean now comes later by a newer forecast, and then now by another.
    forecast(...ALWAYS.filter((step) => step > 8));
    const saved = await until(
      () => show(id),
      ({ reason }) => reason.startsWith("saved itself"),
    );
    expect(saved).toMatchObject({ state: "paused", pid: null, attempts: 1 });
    forecast(...ALWAYS);
    const done = await until(
      () => show(id),
      ({ state }) => state === "done",
    );
    expect(done).toMatchObject({ attempts: 2, exit: { code: 0 } });
    expect(done.ran).toHaveLength(2);
    expect(done.cards).toHaveLength(2);
    expect(readFileSync(done.stdout, "utf8")).toBe("on from here\n");
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe(`${id}\n`);
  });

  test("a job that is held does not begin, though it is due, until it is released", {
    timeout: LONG,
  }, async () => {
    const { forecast, godwit, submit, show, agent } = setUp();
    forecast(0);
    const pinned = ["--deadline", "+70s", "--duration", "1s", "--pin"];
    const held = await submit([...pinned, "--name", "one"], ["true"]);
    const told = await godwit(["hold", "one", "--json"]);
    expect(JSON.parse(told.out)).toMatchObject([{ id: held.id, state: "waiting", held: true }]);
    expect(told.err).toContain("(one): held.");
    const other = await submit([...pinned, "--name", "other"], ["true"]);
    agent();
    await until(
      () => show(other.id),
      ({ state }) => state === "done",
    );
    expect(await show(held.id)).toMatchObject({ state: "waiting", attempts: 0 });
    expect((await godwit(["jobs"])).out).toMatch(/one +held/);
    expect((await godwit(["release", "one"])).code).toBe(0);
    await until(
      () => show(held.id),
      ({ state }) => state === "done",
    );
    for (const verb of ["hold", "release"])
      expect(await godwit([verb, "one"])).toMatchObject({
        code: 2,
        err: expect.stringContaining("is done"),
      });
  });

  test("a second agent is refused, and cancelling works with and without one", {
    timeout: LONG,
  }, async () => {
    const { folder, forecast, godwit, submit, show, agent } = setUp();
    forecast(30);
    const waiting = await submit(["--deadline", "+70s", "--duration", "2s"], ["touch", "never"]);
    agent();
    await until(
      () => godwit(["jobs", "--json"]),
      ({ out }) => !out.includes('"agent_pid": null'),
    );
    expect(await godwit(["agent", "--once"])).toMatchObject({ code: 1 });
    const { id } = await submit(
      ["--deadline", "+60s", "--duration", "50s", "--pin"],
      ["sleep", "60"],
    );
    await until(
      () => show(id),
      ({ state }) => state === "running",
    );
    expect((await godwit(["cancel", id, waiting.id])).code).toBe(0);
    expect((await show(id)).state).toBe("cancelled");
    expect((await show(waiting.id)).state).toBe("cancelled");
    expect(existsSync(join(folder, "never"))).toBe(false);
  });

  test("a process id that is used again is not signalled", async () => {
    const { folder } = setUp();
    const bystander = spawn("sleep", ["30"], { detached: true, stdio: "ignore" });
    const processes = jobProcesses({
      ...{ host, folder, supervisor: () => ["true"] as const, env: {} },
      environmentOf: async () => ({}),
    });
    const pid = bystander.pid ?? expect.fail("no process");
    await processes.signal({ pid, pidStart: "an earlier boot:1" }, "SIGKILL");
    await processes.signal({ ...(await ownIdentity(host)), pidStart: "x" }, "SIGKILL");
    expect(stateOf(pid)).not.toBe("Z");
    bystander.kill("SIGKILL");
  });
});

describe.skipIf(process.platform === "win32")("what a job is given", () => {
  const PIN = ["--deadline", "+60s", "--duration", "2s", "--pin"] as const;

  function ready() {
    const rig = setUp();
    rig.forecast(0);
    return rig;
  }

  test("words, names, folders and variables as they are, past every shell", {
    timeout: LONG,
  }, async () => {
    const { folder, godwit, submit, superviseHere } = ready();
    const words = ["$(touch owned)", "`touch owned`", "; touch owned", "a\nb", "'\"\\", "--", "*"];
    const script =
      'for word; do printf "[%s]" "$word"; done; printf "%s|%s" "$MINE" "$SECRET_OF_AGENT"';
    const { id } = await submit(
      [...PIN, "--name", "\u001b[31m$(touch owned)\n; '", "--tag", "k=$(touch owned)"],
      ["sh", "-c", script, "sh", ...words],
      { MINE: "mine; touch owned" },
    );
    const job = await superviseHere(id);
    expect(job.state).toBe("done");
    expect(readFileSync(job.stdout, "utf8")).toBe(
      `${words.map((word) => `[${word}]`).join("")}mine; touch owned|`,
    );
    expect(existsSync(join(folder, "owned"))).toBe(false);
    expect(statSync(job.stdout).mode & 0o077).toBe(0);
    for (const args of [["jobs", "--all"], ["jobs", id], ["cancel", id], ["savings"]]) {
      const { out, err } = await godwit(args);
      expect(out + err).not.toContain("\u001b");
    }
  });

  test("no environment but the bare one with --export none", { timeout: LONG }, async () => {
    const { submit, superviseHere } = ready();
    const { id } = await submit([...PIN, "--export", "none"], ["env"], { MINE: "secret" });
    const job = await superviseHere(id);
    expect(readFileSync(job.stdout, "utf8")).toMatch(/^PATH=/m);
    expect(readFileSync(job.stdout, "utf8")).not.toContain("secret");
  });

  test.each([
    ["its program is gone", ["./vanished"], { exit: { code: 127, signal: null } }],
    ["its program cannot be executed", ["./forecast.json"], { exit: { code: 126, signal: null } }],
  ] as const)("%s: it fails with the shell's code", { timeout: LONG }, async (_, command, like) => {
    const { submit, superviseHere } = ready();
    const { id } = await submit(PIN, command);
    expect(await superviseHere(id)).toMatchObject({ state: "failed", ...like });
  });

  test("its folder is gone: it fails and says so", { timeout: LONG }, async () => {
    const { folder, submit, superviseHere } = ready();
    const { id } = await submit(PIN, ["true"]);
    const store = await openJobStore(join(folder, ".godwit"));
    await store.change(id, 0, (record) => ({
      record: { ...record, cwd: join(folder, "gone") },
      ...{ kind: "moved", text: "" },
    }));
    store.close();
    expect(await superviseHere(id)).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/its folder .*gone is gone/),
    });
  });

  test("its output finds no space: that is its own fault to tell", { timeout: LONG }, async ({
    skip,
  }) => {
    if (!existsSync("/dev/full")) return skip("there is no /dev/full");
    const { submit, superviseHere } = ready();
    const { id } = await submit(
      [...PIN, "--output", "/dev/full"],
      ["sh", "-c", "echo hi || exit 28"],
    );
    expect(await superviseHere(id)).toMatchObject({ state: "failed", exit: { code: 28 } });
  });

  test("its output cannot be opened: it fails and says so", { timeout: LONG }, async () => {
    const { submit, superviseHere } = ready();
    const { id } = await submit([...PIN, "--output", "nowhere/out"], ["true"]);
    expect(await superviseHere(id)).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/could not be started: ENOENT/),
    });
  });

  test("its environment is gone: it fails and says so", { timeout: LONG }, async () => {
    const { folder, submit, superviseHere } = ready();
    const { id } = await submit(PIN, ["true"]);
    const store = await openJobStore(join(folder, ".godwit"));
    await store.forgetEnvironment(id);
    store.close();
    expect((await superviseHere(id)).reason).toMatch(/its environment is gone/);
  });
});

test("what waits for another job is planned behind it", async () => {
  const { godwit, forecast, submit } = setUp();
  forecast(5, 6, 20);
  const first = await submit(["--deadline", "+60s", "--duration", "4s"], ["true"]);
  const second = await submit(
    ["--deadline", "+70s", "--duration", "2s", "--after", first.id],
    ["true"],
  );
  const startOf = async (id: string): Promise<number> => {
    const { plan } = JSON.parse((await godwit(["jobs", id, "--json"])).out);
    return Date.parse(plan.runs[0].start) / 1000;
  };
  // Alone it would run at step 5; behind the four seconds from there, step 20 is the cleanest.
  expect((await startOf(second.id)) - (await startOf(first.id))).toBe(30);
});

test.skipIf(process.platform === "win32")(
  "what was saved is judged by the record that is given",
  {
    timeout: LONG,
  },
  async () => {
    const { folder, forecast, godwit, submit, superviseHere } = setUp();
    forecast(0);
    const pinned = ["--deadline", "+60s", "--duration", "2s", "--pin"];
    const { id } = await submit(pinned, ["sleep", "0.5"]);
    await superviseHere(id);
    const minute = Math.floor(host.wall() / 60_000) * 60_000;
    const rows = Array.from({ length: 4 }, (_, at) => {
      const start = new Date(minute + (at - 2) * 60_000).toISOString();
      return `${start},250`;
    });
    writeFileSync(join(folder, "record.csv"), ["start,gco2e_per_kwh", ...rows, ""].join("\n"));
    const { out, err } = await godwit(["savings", "--actual", "record.csv", "--json"]);
    expect(err).toBe("");
    const [account] = JSON.parse(out).jobs;
    expect(account.trace).toMatchObject({ kind: "recorded", zone: "DE", signal: "average" });
    expect(account.realised_gco2e.value).toBeCloseTo((account.energy_j.value / 3.6e6) * 250, 12);
    expect(account.saving_gco2e.value).toBeCloseTo(0, 12);
    expect(await godwit(["savings", "--actual", "none.csv"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("none.csv"),
    });
  },
);

describe("what is refused when it is submitted", () => {
  const options = ["--signal", "forecast.json", "--power", "100W", "--duration", "2s"];

  function ready() {
    const rig = setUp();
    rig.forecast(0);
    return rig;
  }

  test.each([
    ["a deadline that is over", ["--deadline", "2020-01-01T00:00Z"], ["true"], /is over/],
    ["a deadline that it cannot keep", ["--deadline", "+1s"], ["true"], /does not fit|window/],
    ["a command that is an option", ["--deadline", "+60s"], ["-rf"], /no command/],
    ["a job to wait for that is none", ["--deadline", "+60s", "--after", "x"], ["true"], /no job/],
    ["a variable that is not set", ["--deadline", "+60s", "--export", "NOPE"], ["true"], /NOPE/],
    ["a forecast that is too short", ["--deadline", "+600s"], ["true"], /covers/],
    [
      "a policy that does not fit",
      ["--deadline", "+60s", "--policy", "suspend-resume"],
      ["true"],
      /fit/,
    ],
  ] as const)("%s", async (_, more, command, like) => {
    const { godwit } = ready();
    const answer = await godwit(["submit", ...options, ...more, "--", ...command]);
    expect(answer.code).toBe(2);
    expect(answer.err).toMatch(like);
    expect((await godwit(["jobs", "--all", "--json"])).out).not.toContain('"id"');
  });

  test("a program that cannot be found now is told, and queued: it may be there in time", async () => {
    const { godwit } = ready();
    const asked = ["submit", ...options, "--deadline", "+60s", "--"] as const;
    const slip = await godwit([...asked, "pyhton", "train.py"]);
    expect(slip).toMatchObject({ code: 0, out: expect.stringContaining("is in the queue") });
    expect(slip.err).toContain("pyhton is not found here now");
    expect((await godwit([...asked, "sh", "-c", "true"])).err).not.toContain("not found");
  });

  test("a queue that is a file, or on a full disk: an error, and nothing is in it", async ({
    skip,
  }) => {
    const { folder, godwit } = ready();
    writeFileSync(join(folder, "file"), "");
    const usual = ["submit", ...options, "--deadline", "+60s"];
    expect(await godwit([...usual, "--ledger", "file", "--", "true"])).toMatchObject({ code: 1 });
    const disk = join(folder, "disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", disk]);
    if (mounted.status !== 0) return skip("no file system can be mounted here");
    try {
      const answer = await godwit([...usual, "--ledger", join(disk, "l"), "--", "true"]);
      expect(answer.code).toBe(1);
      expect(answer.err).toMatch(/no space|full|I\/O|cannot/);
      expect(answer.out).toBe("");
    } finally {
      spawnSync("umount", [disk]);
    }
  });
});

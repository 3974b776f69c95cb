// The Slurm commands on a made-up login node; on a real cluster: test/cluster.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import type { FakeMachine } from "../../test/fake-host.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-slurm-cli-"));
  hours = Array.from({ length: 30 }, (_, hour) => 300 + hour);
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const data = (name: string): string =>
  readFileSync(new URL(`../../data/${name}`, import.meta.url), "utf8");
/** Values of the forecast, f.csv, by hour of 2026's first day. */
let hours: readonly number[] = [];
const run = (args: readonly string[], machine: FakeMachine = {}): Promise<Answer> => {
  const rows = hours.map(
    (value, at) => `${new Date(Date.UTC(2026, 0, 1, at)).toISOString()},${value}`,
  );
  const files = { [join(cwd, "f.csv")]: ["start,gco2e_per_kwh", ...rows, ""].join("\n") };
  const env = { SLURM_CONF: join(cwd, "etc", "slurm.conf") };
  return godwit(args, { cwd, env, machine: { files, ...machine } });
};
const file = (name: string): string => readFileSync(join(cwd, "etc", name), "utf8");

const SIGNAL = ["--signal", "f.csv", "--zone", "DE", "--kind", "average", "--basis", "location"];

describe("the hook", () => {
  beforeEach(() => {
    mkdirSync(join(cwd, "etc"));
  });

  test("is written beside slurm.conf, readable by slurmctld, and taken away whole", async () => {
    const dry = await run(["slurm", "install-hook", "--dry-run"]);
    expect(dry.out.match(/would write/g)).toHaveLength(3);
    expect(existsSync(join(cwd, "etc", "godwit.lua"))).toBe(false);
    const { code, err } = await run([
      "slurm",
      "install-hook",
      "--qos",
      "green",
      "--max-delay",
      "2h",
    ]);
    expect(code).toBe(0);
    expect(err).toContain("JobSubmitPlugins=lua");
    expect(file("godwit.lua")).toBe(data("slurm/godwit.lua"));
    expect(file("job_submit.lua")).toContain(`dofile, "${cwd}/etc/godwit.lua"`);
    expect(file("godwit-policy")).toContain("qos green\nmax-delay 7200\n");
    for (const name of ["godwit.lua", "godwit-policy", "job_submit.lua"])
      expect(statSync(join(cwd, "etc", name)).mode & 0o777).toBe(0o644);
    await run(["slurm", "install-hook", "--uninstall"]);
    for (const name of ["godwit.lua", "godwit-policy", "job_submit.lua"])
      expect(existsSync(join(cwd, "etc", name))).toBe(false);
  });
  test("leaves a site's own script alone, and says what to add to it and to take out", async () => {
    const own = "function slurm_job_submit() return slurm.SUCCESS end -- godwit\n";
    writeFileSync(join(cwd, "etc", "job_submit.lua"), own);
    const { err } = await run(["slurm", "install-hook"]);
    expect(err).toContain("pcall(godwit.submit, job_desc");
    const gone = await run(["slurm", "install-hook", "--uninstall"]);
    expect(gone.err).toContain("take the lines with godwit out of it");
    expect(file("job_submit.lua")).toBe(own);
  });
  test("leaves a script that does nothing while slurm.conf asks for one", async () => {
    writeFileSync(join(cwd, "etc", "slurm.conf"), "ClusterName=x\nJobSubmitPlugins=throttle,lua\n");
    await run(["slurm", "install-hook"]);
    const { err } = await run(["slurm", "install-hook", "--uninstall"]);
    expect(err).toContain("does nothing any more");
    expect(file("job_submit.lua")).toContain("function slurm_job_submit");
    expect(file("job_submit.lua")).not.toContain("dofile");
  });
  test("is refreshed with a forecast and keeps its settings, also when installed again", async () => {
    await run(["slurm", "install-hook", "--word", "clean"]);
    expect((await run(["slurm", "refresh", ...SIGNAL])).code).toBe(0);
    const policy = file("godwit-policy");
    expect(policy).toContain("word clean\n");
    expect(policy).toContain(
      `start ${Date.UTC(2026, 0, 1) / 1000}\nstep 3600\nvalue 300\nvalue 301\n`,
    );
    expect(policy).toContain(`expires ${Date.UTC(2026, 0, 1, 6) / 1000}\n`);
    await run(["slurm", "install-hook", "--word", "cleaner"]);
    expect(file("godwit-policy")).toBe(policy.replace("word clean\n", "word cleaner\n"));
  });
  test.each([
    [["refresh", ...SIGNAL], "there is no policy"],
    [["refresh", ...SIGNAL, "--dir", "nowhere"], "there is no policy"],
    [["install-hook", "--dir", "nowhere"], "there is no folder"],
    [["install-hook", "--word", "a b"], "cannot be an opt-in"],
    [["install-hook", "--max-delay", "long"], "cannot read"],
  ])("%j is refused", async (args, why) => {
    const { code, err } = await run(["slurm", ...args]);
    expect(code).toBe(2);
    expect(err).toContain(why);
    expect(err).toContain("\n  fix  ");
  });
  test("a forecast too short for its horizon is refused, and the policy stays", async () => {
    await run(["slurm", "install-hook"]);
    const before = file("godwit-policy");
    const { code, err } = await run(["slurm", "refresh", ...SIGNAL, "--horizon", "3d"]);
    expect(code).toBe(2);
    expect(err).toContain("the plan needs");
    expect(file("godwit-policy")).toBe(before);
  });
});

describe("advice on sleep", () => {
  const DAY = 86_400;
  const NOW = Date.UTC(2026, 0, 1) / 1000;
  const nodes = ["n1", "n2"].map((name) => ({
    ...{ name, state: "idle", state_flags: [], cpus: 2, partitions: ["main"], features: "" },
    last_busy: 0,
  }));
  /** n1 works twelve hours a day, n2 one. */
  const lines = Array.from({ length: 8 }, (_, day) => {
    const at = NOW - (8 - day) * DAY;
    return [`${day}a|${at}|${at + DAY / 2}|n1`, `${day}b|${at + 3600}|${at + 7200}|n2`];
  }).flat();
  const machine: FakeMachine = {
    commands: {
      sinfo: () => ({ stdout: JSON.stringify({ errors: [], nodes }) }),
      sacct: (args) => {
        const [from = 0, to = 0] = ["start", "end"].map((name) =>
          Number(args.find((arg) => arg.startsWith(`--${name}time=uts`))?.split("uts")[1]),
        );
        const within = lines.filter((line) => {
          const [, start, end] = line.split("|").map(Number);
          return (start ?? 0) < to && (end ?? 0) > from;
        });
        return { stdout: `${within.join("\n")}\n` };
      },
    },
  };
  const power = ["--idle-power", "100W", "--boot-energy", "60kJ", "--boot-time", "3min"];

  test("says when, which nodes, what it saves of what, and what to write into slurm.conf", async () => {
    const { code, out } = await run(
      ["slurm", "advise", ...power, "--max-delayed", "100%"],
      machine,
    );
    expect(code).toBe(0);
    expect(out).toContain("Let 2 of 2 nodes sleep after 1 min without work.");
    expect(out).toContain("  SuspendTime=60\n  ResumeTimeout=360\n");
    expect(out).toContain("never sleeping");
    expect(out).toMatch(/sleeping saves +\d+.*\(.* to .*\), 9\d\.\d % of it/);
  });
  test("as JSON, with the nodes that stay awake for the jobs' sake", async () => {
    const { out } = await run(
      ["slurm", "advise", ...power, "--max-delayed", "50%", "--json"],
      machine,
    );
    const { advice } = JSON.parse(out);
    expect(advice).toMatchObject({
      suspend_time_s: 60,
      may_sleep: ["n2"],
      stay_awake: ["n1"],
      jobs: 16,
    });
    // n2 idles 23 of 24 hours of 8 days: 100 W less a minute at each of nine gaps and eight boots.
    expect(advice.saved_j.value).toBe(100 * (8 * 23 * 3600 - 9 * 60) - 8 * 60_000);
    expect(advice.saved_j).toMatchObject({ method: "estimated" });
  });
  test("when nothing saves it says so", async () => {
    const dear = ["--idle-power", "1W", "--boot-energy", "1GJ", "--boot-time", "3min"];
    expect((await run(["slurm", "advise", ...dear], machine)).out).toContain("Let no node sleep");
  });
  test.each([
    [
      "daemons that are down",
      { sinfo: () => ({ code: 1, stderr: "Unable to contact slurm controller" }) },
      1,
    ],
    ["no Slurm", {}, 1],
    ["no such partition", machine.commands, 2],
  ])("with %s the fault and the remedy are told", async (name, commands, exit) => {
    const more = name === "no such partition" ? ["--partition", "gpu"] : [];
    const { code, err } = await run(["slurm", "advise", ...power, ...more], {
      commands: { ...commands },
    });
    expect(code).toBe(exit);
    expect(err).toContain("\n  fix  ");
  });
});

describe("submit --engine slurm", () => {
  const said: string[][] = [];
  const machine: FakeMachine = {
    env: { PATH: "/usr/bin" },
    commands: {
      sbatch: (args) => {
        said.push(["sbatch", ...args]);
        return { stdout: "42\n" };
      },
      scontrol: (args) => {
        said.push(["scontrol", ...args]);
        return {};
      },
    },
  };
  const submit = ["submit", "--engine", "slurm", "--deadline", "+18h", "--power", "1kW", ...SIGNAL];

  beforeEach(() => {
    said.length = 0;
    hours = hours.map((value, hour) => (hour === 10 ? 30 : value));
    writeFileSync(join(cwd, "notes.txt"), "no script\n");
    writeFileSync(join(cwd, "dos.sh"), "#!/bin/sh\r\ntrue\r\n");
    writeFileSync(join(cwd, "train.sh"), "#!/bin/sh\n#SBATCH --time=1:00:00\n");
  });

  test("copies the script, hands it over held, releases it, and takes its limit for its duration", async () => {
    const { code, out } = await run(
      [...submit, "--json", "--", "-N2", "train.sh", "--lr", "3"],
      machine,
    );
    expect(code).toBe(0);
    const job = JSON.parse(out);
    expect(job).toMatchObject({ engine: "slurm", external_id: "42", state: "waiting" });
    const folder = join(cwd, ".godwit", "jobs", job.id);
    const [batch, copy] = [join(folder, "batch", "train.sh"), join(folder, "script", "train.sh")];
    const metered = ["run", "--quiet", "--defer", "--name=train.sh --lr 3"].concat([
      ...[`--ledger=${folder}/cards`, `--tag=job=${job.id}`, "--", copy],
    ]);
    const begin = Date.UTC(2026, 0, 1, 10) / 1000;
    const deadline = Date.UTC(2026, 0, 1, 18) / 1000;
    expect(said).toEqual([
      [
        "sbatch",
        "-N2",
        "--parsable",
        "--hold",
        `--begin=uts${begin}`,
        `--deadline=uts${deadline}`,
      ].concat([`--chdir=${cwd}`, "--", batch, process.execPath, MAIN, ...metered, "--lr", "3"]),
      ["scontrol", "release", "42"],
    ]);
    expect(readFileSync(copy, "utf8")).toBe(readFileSync(join(cwd, "train.sh"), "utf8"));
    expect(readFileSync(batch, "utf8")).toMatch(/^#!\/bin\/sh\n#SBATCH --time=1:00:00\n/);
    expect(job.stdout).toBe(join(cwd, "slurm-%j.out"));
  });
  test("without the meter Slurm gets the script itself", async () => {
    const words = ["--no-meter", "--json", "--", "train.sh", "--lr", "3"];
    const job = JSON.parse((await run([...submit, ...words], machine)).out);
    const copy = join(cwd, ".godwit", "jobs", job.id, "script", "train.sh");
    expect(said[0]?.slice(-4)).toEqual(["--", copy, "--lr", "3"]);
  });
  test.each([
    [["--no-meter", "--", "sh", "-c", "true"], "cannot read the script"],
    [["--", "dos.sh"], "line ends of Windows"],
    [["--", "nothere.sh"], "cannot read the script"],
    [["--", "notes.txt"], "does not begin with #!"],
    [["--", "--begin=now", "train.sh"], "the plan says when it begins"],
    [["--", "-N2"], "no batch script"],
  ])("%j is refused before anything is handed over", async (words, why) => {
    const { code, err } = await run([...submit, ...words], machine);
    expect(code).toBe(2);
    expect(err).toContain(why);
    expect(said).toEqual([]);
  });
});

// A real Slurm for tests, from the packages that are installed: munge, MariaDB, slurmdbd, slurmctld and
// four slurmd on loopback, all files in one temporary folder, all ports free ones; gone when the test
// ends, however it ends. Needs root: munge and MariaDB run as their own users, slurmd as root.

import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createDaemon, type Daemon, freePorts, isListening, killMarked, until } from "./daemons.ts";

const PROGRAMS = ["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd"] as const;
const FOLDERS = ["/usr/sbin", "/usr/bin"] as const;

/** Why tests on Slurm must skip; null when it is here. */
export const missingSlurm: string | null = whatIsMissing();

if (missingSlurm !== null) console.log(`skipping tests on Slurm: ${missingSlurm}`);

function whatIsMissing(): string | null {
  if (process.platform !== "linux") return "Slurm's daemons run on Linux";
  const absent = PROGRAMS.filter((name) => !FOLDERS.some((at) => existsSync(join(at, name))));
  if (absent.length > 0)
    return `${absent.join(", ")} not installed (Debian: apt-get install munge slurmctld slurmd slurm-client slurmdbd mariadb-server)`;
  return process.getuid?.() === 0 ? null : "starting a cluster of one's own takes root";
}

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface SlurmCluster {
  /** Holds the cluster's files; jobs may write below `work`. */
  readonly folder: string;
  readonly work: string;
  /** With what Slurm's commands find this cluster. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodes: readonly string[];
  readonly controller: Daemon;
  readonly accounting: Daemon;
  node(name: string): Daemon;
  /** Runs one of Slurm's commands; a failing one is an answer too. */
  run(command: string, ...args: readonly string[]): Promise<Answer>;
  /** Runs one that must not fail; gives its output. */
  ok(command: string, ...args: readonly string[]): Promise<string>;
  /** Replaces settings of slurm.conf, or takes them out (null), for when the daemons read it again. */
  configure(settings: Readonly<Record<string, string | null>>): void;
  /** Ends all daemons and jobs and removes the files. */
  stop(): Promise<void>;
}

/** Starts a cluster; `settings` go into slurm.conf besides. */
export async function startSlurm(
  settings: Readonly<Record<string, string>> = {},
): Promise<SlurmCluster> {
  const folder = mkdtempSync(join(tmpdir(), "godwit-slurm-"));
  chmodSync(folder, 0o755);
  const env = environmentOf(folder);
  const daemons: Daemon[] = [];
  const clear = (): void => {
    for (const daemon of [...daemons].reverse()) daemon.kill();
    killMarked(`GODWIT_TEST_CLUSTER=${folder}`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.once("exit", clear);
  try {
    return await build({ folder, env, daemons, clear, settings });
  } catch (error) {
    clear();
    process.off("exit", clear);
    throw error;
  }
}

/** What daemons and commands are started with; the mark tells the processes of this cluster. */
function environmentOf(folder: string): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    HOME: folder,
    LANG: "C.UTF-8",
    SLURM_CONF: join(folder, "slurm.conf"),
    GODWIT_TEST_CLUSTER: folder,
  };
}

interface Plan {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly daemons: Daemon[];
  readonly clear: () => void;
  readonly settings: Readonly<Record<string, string>>;
}

async function build({ folder, env, daemons, clear, settings }: Plan): Promise<SlurmCluster> {
  const nodes = ["n1", "n2", "n3", "n4"];
  const [control, accounts, database, ...nodePorts] = await freePorts(3 + nodes.length);
  for (const name of ["state", "spool", "run", "log", "work"]) mkdirSync(join(folder, name));
  const daemon = (
    name: string,
    command: string,
    args: readonly string[],
    user?: string,
  ): Daemon => {
    const made = createDaemon({ name, command, args, env, log: join(folder, "log", name), user });
    daemons.push(made);
    return made;
  };
  const socket = await startMunge(folder, daemon);
  await startDatabase(folder, Number(database), daemon);

  writeFileSync(
    join(folder, "slurmdbd.conf"),
    slurmdbdConf({ folder, socket, port: Number(accounts), database: Number(database) }),
    { mode: 0o600 },
  );
  let current: Record<string, string | null> = {
    ...slurmConf({ folder, socket, control: Number(control), accounts: Number(accounts) }),
    ...settings,
  };
  const write = (): void => {
    const lines = Object.entries(current).flatMap(([key, value]) =>
      value === null ? [] : [`${key}=${value}`],
    );
    const machines = nodes.map(
      (name, at) =>
        `NodeName=${name} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${nodePorts[at]} ` +
        "CPUs=2 RealMemory=1000 Feature=zoneA State=UNKNOWN",
    );
    const partition = `PartitionName=main Nodes=${nodes.join(",")} Default=YES MaxTime=INFINITE State=UP`;
    writeFileSync(env["SLURM_CONF"] ?? "", [...lines, ...machines, partition, ""].join("\n"));
  };
  write();

  const run = (command: string, ...args: readonly string[]): Promise<Answer> =>
    new Promise((resolve) => {
      const options = { env, cwd: join(folder, "work"), maxBuffer: 2 ** 26 };
      execFile(command, [...args], options, (error, stdout, stderr) =>
        resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code ?? 1) }),
      );
    });
  const ok = async (command: string, ...args: readonly string[]): Promise<string> => {
    const answer = await run(command, ...args);
    if (answer.code === 0) return answer.stdout;
    throw new Error(`${command} ${args.join(" ")}: ${answer.stderr}${answer.stdout}`);
  };

  const accounting = daemon("slurmdbd", "/usr/sbin/slurmdbd", ["-D"]);
  accounting.start();
  await until("slurmdbd answers", () => isListening(Number(accounts)));
  await ok("sacctmgr", "-i", "add", "cluster", "green");
  const controller = daemon("slurmctld", "/usr/sbin/slurmctld", ["-D"]);
  controller.start();
  const machines = new Map(
    nodes.map((name) => [name, daemon(name, "/usr/sbin/slurmd", ["-D", "-N", name])] as const),
  );
  await until("slurmctld answers", () => isListening(Number(control)));
  for (const machine of machines.values()) machine.start();
  await until("the nodes are idle", async () => {
    const { stdout } = await run("sinfo", "-h", "-N", "-o", "%T");
    return stdout.split("\n").filter((state) => state === "idle").length === nodes.length;
  });

  return {
    folder,
    work: join(folder, "work"),
    env,
    nodes,
    controller,
    accounting,
    node(name) {
      const found = machines.get(name);
      if (found === undefined) throw new Error(`no node ${name}`);
      return found;
    },
    run,
    ok,
    configure(changes) {
      current = { ...current, ...changes };
      write();
    },
    async stop() {
      await run("scontrol", "shutdown");
      // Slurm's daemons save their state; nobody will read it again, so nobody waits for them long.
      await delay(50);
      process.off("exit", clear);
      clear();
    },
  };
}

type StartDaemon = (
  name: string,
  command: string,
  args: readonly string[],
  user?: string,
) => Daemon;

/** An authentication service of the cluster's own; gives its socket. */
async function startMunge(folder: string, daemon: StartDaemon): Promise<string> {
  const home = join(folder, "munge");
  // As short as possible: a socket's path has 107 characters at most.
  const meeting = join(folder, "m");
  for (const path of [home, meeting]) mkdirSync(path, { mode: 0o755 });
  const key = join(home, "munge.key");
  writeFileSync(key, crypto.getRandomValues(new Uint8Array(128)), { mode: 0o400 });
  giveTo("munge", home, meeting, key);
  const socket = join(meeting, "s");
  daemon(
    "munged",
    "/usr/sbin/munged",
    ["--foreground", `--key-file=${key}`, `--socket=${socket}`, "--num-threads=4"].concat([
      `--pid-file=${join(meeting, "pid")}`,
      `--log-file=${join(home, "log")}`,
      `--seed-file=${join(home, "seed")}`,
    ]),
    "munge",
  ).start();
  await until("munge answers", () => existsSync(socket));
  return socket;
}

async function startDatabase(folder: string, port: number, daemon: StartDaemon): Promise<void> {
  const data = join(folder, "db");
  const meeting = join(folder, "d");
  for (const path of [data, meeting]) mkdirSync(path, { mode: 0o755 });
  giveTo("mysql", data, meeting);
  execFileSync(
    "mariadb-install-db",
    ["--no-defaults", "--user=mysql", `--datadir=${data}`, "--skip-test-db"].concat(
      "--auth-root-authentication-method=normal",
    ),
    { stdio: "pipe" },
  );
  const socket = join(meeting, "s");
  daemon(
    "mariadbd",
    "/usr/sbin/mariadbd",
    ["--no-defaults", `--datadir=${data}`, `--socket=${socket}`, `--port=${port}`].concat([
      "--bind-address=127.0.0.1",
      `--pid-file=${join(meeting, "pid")}`,
      "--innodb-buffer-pool-size=64M",
      "--innodb-lock-wait-timeout=900",
      "--innodb-flush-log-at-trx-commit=0",
    ]),
    "mysql",
  ).start();
  await until("MariaDB answers", () => existsSync(socket));
  execFileSync(
    "mariadb",
    ["--no-defaults", `--socket=${socket}`, "-u", "root", "-e"].concat(
      "CREATE DATABASE slurm_acct; CREATE USER slurm@localhost IDENTIFIED BY 'slurm'; " +
        "CREATE USER slurm@127.0.0.1 IDENTIFIED BY 'slurm'; " +
        "GRANT ALL ON slurm_acct.* TO slurm@localhost; GRANT ALL ON slurm_acct.* TO slurm@127.0.0.1;",
    ),
    { stdio: "pipe" },
  );
}

function giveTo(user: string, ...paths: readonly string[]): void {
  const id = (flag: string): number => Number(execFileSync("id", [flag, user]));
  for (const path of paths) chownSync(path, id("-u"), id("-g"));
}

interface Ports {
  readonly folder: string;
  readonly socket: string;
}

const slurmdbdConf = ({
  folder,
  socket,
  port,
  database,
}: Ports & { readonly port: number; readonly database: number }): string =>
  [
    "AuthType=auth/munge",
    `AuthInfo=socket=${socket}`,
    "DbdHost=localhost",
    "DbdAddr=127.0.0.1",
    `DbdPort=${port}`,
    "SlurmUser=root",
    `PidFile=${join(folder, "run", "slurmdbd.pid")}`,
    "StorageType=accounting_storage/mysql",
    "StorageHost=127.0.0.1",
    `StoragePort=${database}`,
    "StorageUser=slurm",
    "StoragePass=slurm",
    "StorageLoc=slurm_acct",
    "CommunicationParameters=NoInAddrAny",
    "",
  ].join("\n");

const slurmConf = ({
  folder,
  socket,
  control,
  accounts,
}: Ports & { readonly control: number; readonly accounts: number }): Record<string, string> => ({
  ClusterName: "green",
  SlurmctldHost: `${hostname()}(127.0.0.1)`,
  SlurmUser: "root",
  SlurmdUser: "root",
  AuthType: "auth/munge",
  AuthInfo: `socket=${socket}`,
  CredType: "cred/munge",
  SlurmctldPort: String(control),
  SlurmctldPidFile: join(folder, "run", "slurmctld.pid"),
  SlurmdSpoolDir: join(folder, "spool", "%n"),
  SlurmdPidFile: join(folder, "run", "slurmd.%n.pid"),
  StateSaveLocation: join(folder, "state"),
  ProctrackType: "proctrack/linuxproc",
  TaskPlugin: "task/none",
  SwitchType: "switch/none",
  MpiDefault: "none",
  // A node that was down returns by itself when it registers.
  ReturnToService: "2",
  SelectType: "select/cons_tres",
  SelectTypeParameters: "CR_Core_Memory",
  DefMemPerCPU: "10",
  SlurmdParameters: "config_overrides",
  JobAcctGatherType: "jobacct_gather/linux",
  JobAcctGatherFrequency: "task=1,energy=1",
  AcctGatherEnergyType: "acct_gather_energy/none",
  AccountingStorageType: "accounting_storage/slurmdbd",
  AccountingStorageHost: "localhost",
  AccountingStoragePort: String(accounts),
  // Without it slurmctld looks for /run/munge and dies.
  AccountingStoragePass: socket,
  AccountingStoreFlags: "job_comment,job_extra",
  AccountingStorageTRES: "energy",
  SchedulerParameters: "bf_interval=1,sched_min_interval=0",
  // Loopback only; by itself Slurm listens everywhere.
  CommunicationParameters: "NoCtldInAddrAny,NoInAddrAny",
  SlurmdTimeout: "5",
  KillWait: "1",
  MailProg: "/bin/true",
});

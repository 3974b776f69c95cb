// A real PostgreSQL server for tests, from the binaries that are installed: its files in a temporary
// folder, on a free port and a Unix socket, gone when the test ends, however it ends.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PASSWORD = "correct horse/battery#staple";
const DEBIAN = "/usr/lib/postgresql";

export interface PostgresTestServer {
  /** The URL of a new, empty database; over TCP with a password, as people have it. */
  database(options?: { readonly socket?: boolean }): string;
  /** The password in those URLs, as it is and as the URL spells it. */
  readonly secrets: readonly string[];
  /** Runs SQL as the superuser and gives back the lines of psql's answer. */
  sql(url: string, text: string): string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again, on the same files and port. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

const binaries = findBinaries();

/** Why tests on PostgreSQL must skip; null when there is one. */
export const missingPostgres: string | null =
  binaries === null
    ? "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    : process.getuid?.() === 0 && accountOf("postgres") === null
      ? "PostgreSQL does not run as root, and there is no user postgres"
      : null;

if (missingPostgres !== null) console.log(`skipping tests on PostgreSQL: ${missingPostgres}`);

function findBinaries(): string | null {
  if (process.platform === "win32") return null;
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number) : [];
  const packaged = versions.sort((a, b) => b - a).map((version) => `${DEBIAN}/${version}/bin`);
  const path = (process.env["PATH"] ?? "").split(":");
  return [...packaged, ...path].find((folder) => existsSync(join(folder, "initdb"))) ?? null;
}

function accountOf(name: string): { uid: number; gid: number } | null {
  try {
    const id = (flag: string): number =>
      Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts a server with `settings` besides. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresTestServer> {
  if (binaries === null) throw new Error("PostgreSQL's server is not installed");
  const bin = binaries;
  const account = process.getuid?.() === 0 ? accountOf("postgres") : null;
  const folder = mkdtempSync(join(tmpdir(), "godwit-postgres-"));
  if (account !== null) chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o755);
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, PASSWORD);
  const as = { ...(account ?? {}), cwd: folder, stdio: "pipe" } as const;
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "godwit", "-E", "UTF8", "--no-sync", `--pwfile=${passwordFile}`].concat([
      "--auth-local=trust",
      "--auth-host=scram-sha-256",
    ]),
    as,
  );
  const port = await freePort();
  const options = Object.entries({
    fsync: "off",
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    shared_buffers: "16MB",
    ...settings,
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const psql = (database: string, text: string): string =>
    execFileSync(
      join(bin, "psql"),
      ["-h", folder, "-p", String(port), "-U", "godwit", "-d", database, "-XAtqc", text],
      { encoding: "utf8", stdio: "pipe" },
    );

  let running: ChildProcess | null = null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (running === null) return;
    const ended = once(running, "exit");
    running.kill(signal);
    await ended;
    running = null;
  };
  const clear = (): void => {
    running?.kill("SIGQUIT");
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.once("exit", clear);
  const start = async (attempts = 20): Promise<void> => {
    // The signal reaches the server even when this process is killed.
    const [command, ...args] = existsSync("/usr/bin/setpriv")
      ? ["/usr/bin/setpriv", "--pdeathsig", "QUIT", "--", join(bin, "postgres")]
      : [join(bin, "postgres")];
    const server = spawn(command ?? "", [...args, "-D", data, ...options], {
      ...as,
      stdio: ["ignore", "ignore", "pipe"],
    });
    running = server;
    try {
      await isReady(server);
    } catch (error) {
      // What a killed server had started takes a moment to notice, and holds its memory until then.
      if (attempts <= 1 || !String(error).includes("still in use")) throw error;
      await start(attempts - 1);
    }
  };
  try {
    await start();
  } catch (error) {
    clear();
    throw error;
  }

  let databases = 0;
  return {
    secrets: [PASSWORD, encodeURIComponent(PASSWORD)],
    database({ socket = false } = {}) {
      const name = `ledger${++databases}`;
      psql("postgres", `CREATE DATABASE ${name}`);
      return socket
        ? `postgresql://godwit@/${name}?host=${encodeURIComponent(folder)}&port=${port}`
        : `postgresql://godwit:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`;
    },
    sql: (url, text) => psql(/\/(?<name>ledger\d+)/.exec(url)?.groups?.["name"] ?? "", text),
    async kill() {
      const children = childrenOf(running?.pid);
      await end("SIGKILL");
      for (const pid of children) killQuietly(pid);
    },
    start: () => start(),
    async stop() {
      process.off("exit", clear);
      await end("SIGINT");
      clear();
    },
  };
}

/** Processes that a server has started: they would answer on after its death, for a moment. */
function childrenOf(parent: number | undefined): readonly number[] {
  const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return processes
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

/** Waits for the line of its log that says so. */
async function isReady(server: ChildProcess): Promise<void> {
  let log = "";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    server.stderr?.on("data", (text: Buffer) => {
      log = `${log}${text}`.slice(-10_000);
      if (log.includes("ready to accept connections")) resolve();
    });
  });
}

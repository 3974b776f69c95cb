// The store of jobs: what it keeps, for whom, and what happens when several processes change one job.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sampleJob } from "../../../../test/sample-job.ts";
import { type Damaged, type JobStore, openJobStore } from "./store.ts";

const start = promisify(execFile);
let folder = "";
const opened: JobStore[] = [];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "godwit-jobs-")), ".godwit");
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

async function open(): Promise<JobStore> {
  const store = await openJobStore(folder);
  opened.push(store);
  return store;
}

test("a record comes back as it was put in, with its plan and forecast", async () => {
  const store = await open();
  const record = sampleJob({
    name: "naïve \n'; DROP TABLE jobs; --",
    command: ["a\tb", "", "$(x)"],
  });
  await store.add(record, null);
  expect(await (await open()).get(record.id)).toEqual(JSON.parse(JSON.stringify(record)));
  expect(await store.get("another")).toBeNull();
});

test("an id is given once", async () => {
  const store = await open();
  await store.add(sampleJob(), null);
  await expect(store.add(sampleJob({ name: "other" }), null)).rejects.toThrow(/already/);
  expect((await store.get(sampleJob().id))?.name).toBe("train");
});

test("jobs are found by state and engine, in order of submission", async () => {
  const store = await open();
  await store.add(sampleJob({ id: "b", submittedAt: 2 }), null);
  await store.add(sampleJob({ id: "a", submittedAt: 3, engine: "slurm" }), null);
  await store.add(sampleJob({ id: "c", submittedAt: 1, state: "done" }), null);
  const ids = async (filter: Parameters<JobStore["list"]>[0]) =>
    (await store.list(filter)).map(({ id }) => id);
  expect(await ids({})).toEqual(["c", "b", "a"]);
  expect(await ids({ states: ["waiting", "running"] })).toEqual(["b", "a"]);
  expect(await ids({ engine: "slurm" })).toEqual(["a"]);
});

test("four processes that change one job at once lose no change", async () => {
  const store = await open();
  const { id } = sampleJob();
  await store.add(sampleJob(), null);
  const writer = new URL("../../../../test/job-writer.ts", import.meta.url).pathname;
  const run = () => start(process.execPath, [writer, folder, id, "25"]);
  await Promise.all([run(), run(), run(), run()]);
  expect((await store.get(id))?.attempts).toBe(100);
  expect(await store.history(id)).toHaveLength(101);
});

test("another process's write changes the version", async () => {
  const [one, two] = [await open(), await open()];
  const before = one.version();
  expect(one.version()).toBe(before);
  await two.add(sampleJob(), null);
  expect(one.version()).not.toBe(before);
});

test("a change that is declined writes nothing", async () => {
  const store = await open();
  await store.add(sampleJob(), null);
  const result = await store.change(sampleJob().id, 1, () => null);
  expect(result?.changed).toBe(false);
  expect(await store.history(sampleJob().id)).toHaveLength(1);
  expect(await store.change("nobody", 1, () => null)).toBeNull();
});

test("a damaged record is named, left alone, and hides no other", async () => {
  const store = await open();
  await store.add(sampleJob({ id: "good" }), null);
  await store.add(sampleJob({ id: "bad" }), null);
  const database = new DatabaseSync(join(folder, "jobs.db"));
  const text = JSON.stringify({ ...sampleJob({ id: "bad" }), command: "rm -rf /" });
  database.prepare("UPDATE jobs SET record = ? WHERE id = 'bad'").run(text);
  database.close();
  const damaged: Damaged[] = [];
  expect((await store.list({}, (one) => damaged.push(one))).map(({ id }) => id)).toEqual(["good"]);
  expect(damaged.map(({ id }) => id)).toEqual(["bad"]);
  await expect(store.change("bad", 1, () => null)).rejects.toThrow(/job bad is damaged.*command/);
});

test("the file is its owner's alone, and an environment that was dropped is not in it", async () => {
  const store = await open();
  const { id } = sampleJob();
  await store.add(sampleJob(), { TOKEN: "hush-hush-hush" });
  expect(statSync(join(folder, "jobs.db")).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "jobs.db-wal")).mode & 0o077).toBe(0);
  expect(await store.environment(id)).toEqual({ TOKEN: "hush-hush-hush" });
  await store.forgetEnvironment(id);
  expect(await store.environment(id)).toBeNull();
  store.close();
  expect(readFileSync(join(folder, "jobs.db")).includes("hush-hush")).toBe(false);
});

test("a role has one living holder", async () => {
  const [one, two] = [await open(), await open()];
  expect(await one.roles.takeRole("agent", "first", () => true)).toBeNull();
  expect(await two.roles.takeRole("agent", "second", () => true)).toBe("first");
  expect(await two.roles.takeRole("agent", "second", () => false)).toBeNull();
  await one.roles.leaveRole("agent", "first");
  expect(await one.roles.holderOf("agent")).toBe("second");
});

test("a file that is no store is refused and not touched", async () => {
  await open();
  opened.splice(0).map((store) => store.close());
  const path = join(folder, "jobs.db");
  rmSync(`${path}-wal`, { force: true });
  writeFileSync(path, "not a database, but long enough to be read as one".repeat(20));
  await expect(openJobStore(folder)).rejects.toMatchObject({ code: "ledger" });
  expect(readFileSync(path, "utf8")).toContain("not a database");
  await expect(openJobStore(join(folder, "none"), { ifAbsent: "fail" })).rejects.toThrow(/no jobs/);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seconds, toKilowattHours, watts } from "../../core/index.ts";
import { costOfSlurmJobs, type SlurmCluster, totalOfSlurmJobs } from "./ga4hpc.ts";
import { parseSacct, parseSlurmSize, parseSlurmTime } from "./sacct.ts";

const cluster: SlurmCluster = {
  coreTdp: watts(5.9),
  gpuTdp: watts(250),
  pue: 1.15,
  intensity: 231.12,
  memoryStepGB: 6,
};

const FIELDS =
  "JobID|JobName|Submit|Elapsed|Partition|NNodes|NCPUS|TotalCPU|CPUTime|ReqMem|MaxRSS|WorkDir|State|Account|AllocTRES";
const listing = (...lines: readonly string[]): string => [FIELDS, ...lines].join("\n");

// GreenAlgorithms4HPC, example_files/example_sacctOutput_raw.tsv: the tool's own example of input.
const EXAMPLE = [
  FIELDS.replaceAll("|", "\t"),
  "12345678\tAnyNames\t2022-02-11T19:11:21\t04:00:25\tpartition1\t1\t1\t00:00:00\t04:00:25\t6760Mc\t\tany/dir/path\tTIMEOUT\tcluster_account\tbilling=1,cpu=1,mem=6760M,node=1",
].join("\n");

describe("Slurm's accounting", () => {
  test("the tool's own example is read", () => {
    const [job] = parseSacct(EXAMPLE);
    expect(job).toMatchObject({
      id: "12345678",
      state: "TIMEOUT",
      cpus: 1,
      gpus: 0,
      elapsedS: 14_425,
      usedCpuS: 0,
      reservedCpuS: 14_425,
      requestedGB: 6.76,
      maxRssGB: null,
    });
  });

  test("steps belong to their job: largest memory, and CPU time where the job's is not recorded", () => {
    const jobs = parseSacct(
      listing(
        "77|train|2026-01-01T00:00:00|01:00:00|gpu|2|8|00:00:00|08:00:00|4Gn||/w|COMPLETED|a|cpu=8,gres/gpu:a100=2,gres/gpu=2",
        "77.batch|batch||01:00:00||1|8|06:30:00|08:00:00||2745K|/w|COMPLETED|a|",
        "77.0|step||00:30:00||2|8|00:10:00|04:00:00||3.5G|/w|COMPLETED|a|",
        "78_1|array|2026-01-01T00:00:00|00:00:10|cpu|1|1|00:01.500|00:00:10|1G||/w|CANCELLED by 7|a|cpu=1",
      ),
    );
    expect(jobs).toHaveLength(2);
    expect(jobs[0]).toMatchObject({
      gpus: 2,
      usedCpuS: 6.5 * 3600,
      requestedGB: 8,
      maxRssGB: 3.5,
    });
    expect(jobs[1]).toMatchObject({ id: "78_1", state: "CANCELLED", usedCpuS: 1.5 });
  });

  test.each([
    ["00:00.508", 0.508],
    ["12", 12],
    ["3-01:02:03", 262_923],
    ["", 0],
  ])("the time %j is %d s", (text, expected) => {
    expect(parseSlurmTime(text)).toBeCloseTo(expected, 9);
  });
  test.each(["1:2:3:4", "abc", "-5"])("%j is no time", (text) => {
    expect(() => parseSlurmTime(text)).toThrow(/not a time of Slurm/);
  });
  test.each([
    ["154264", 0.154264],
    ["2745K", 0.002745],
    ["6760M", 6.76],
    ["1.5T", 1500],
  ])("the size %j is %d GB", (text, expected) => {
    expect(parseSlurmSize(text)).toBeCloseTo(expected, 12);
  });
  test("a listing without the needed fields names them and the command", () => {
    expect(() => parseSacct("JobID|State\n1|COMPLETED")).toThrow(
      /Elapsed, NCPUS, TotalCPU, ReqMem/,
    );
  });
});

describe("the cost of jobs", () => {
  // By hand: 14,425 s x 5.9 W + 14,425 s x 6.76 GB x 0.3725 W/GB, times 1.15.
  test("without recorded CPU time all reserved cores count as busy", () => {
    const [cost] = costOfSlurmJobs(parseSacct(EXAMPLE), cluster);
    expect(cost?.energy).toBeCloseTo(14_425 * (5.9 + 6.76 * 0.3725) * 1.15, 6);
    expect(cost?.wasted).toBe(true);
    expect(cost?.memoryOverallocation).toBe(1);
  });

  // GreenAlgorithms4HPC, examples/example_output_workloadManager.tsv: 102.6 GB asked for, 0.347312 GB
  // used, step 6 GB: 6 GB needed, asked for 17.1 times too much.
  test("memory needed is the next step above what was used, as in the tool's example of output", () => {
    const jobs = parseSacct(
      listing(
        "27060|n|2022-09-14T18:38:58|00:44:50|p|1|15|00:12.499|11:12:30|102.6G|347312K|/w|FAILED|a|cpu=15",
      ),
    );
    const [cost] = costOfSlurmJobs(jobs, cluster);
    expect(jobs[0]?.reservedCpuS).toBe(40_350);
    expect(cost?.memoryOverallocation).toBeCloseTo(17.1, 9);
    expect(cost?.cpu).toBeCloseTo(12.499 * 5.9, 9);
    expect(cost?.energyIfFitted).toBeCloseTo((12.499 * 5.9 + 2690 * 6 * 0.3725) * 1.15, 6);
  });

  test("GPUs run at full power for the whole job; jobs under way are left out", () => {
    const row = (id: string, state: string) =>
      `${id}|n|2026-01-01T00:00:00|01:00:00|gpu|1|4|00:00:01|04:00:00|0|0|/w|${state}|a|cpu=4,gres/gpu=3`;
    const costs = costOfSlurmJobs(
      parseSacct(listing(row("1", "COMPLETED"), row("2", "RUNNING"), row("3", "PENDING"))),
      cluster,
    );
    expect(costs.map(({ job }) => job.id)).toEqual(["1"]);
    expect(toKilowattHours(totalOfSlurmJobs(costs))).toBeCloseTo(0.75 * 1.15, 4);
  });

  test("energy grows in step with time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 2, max: 9 }),
        (length, times) => {
          const job = (s: number) => ({
            id: "1",
            name: "",
            partition: "",
            state: "COMPLETED",
            nodes: 1,
            cpus: 2,
            gpus: 1,
            elapsedS: seconds(s),
            submitted: null,
            started: null,
            ended: null,
            usedCpuS: s,
            reservedCpuS: 2 * s,
            requestedGB: 8,
            maxRssGB: 1,
          });
          const [one, many] = costOfSlurmJobs([job(length), job(length * times)], cluster);
          expect((many?.energy ?? 0) / (one?.energy ?? 1)).toBeCloseTo(times, 9);
        },
      ),
    );
  });
});

import { describe, expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import { exact, toKilowattHours, watts } from "../../core/index.ts";
import { mergeCards } from "../merge/index.ts";
import {
  importCodeCarbon,
  importPowerLog,
  importSacct,
  type SlurmOptions,
  utcOffset,
} from "./index.ts";

const HEAD =
  "timestamp,project_name,run_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,cpu_energy,gpu_energy,ram_energy,energy_consumed,country_name,country_iso_code,region,cloud_provider,cloud_region,os,python_version,codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,longitude,latitude,ram_total_size,tracking_mode,on_cloud,pue";

// huggingface.co/nicholasKluge/Aux-RewardModelPT, emissions.csv: written by CodeCarbon 2.4.2.
const REAL = `${HEAD}
2024-05-27T11:31:35,codecarbon,979336a5-c7de-4edf-b1ed-ab25fad914c1,299.7817449569702,0.016563636840486076,5.5252319793066694e-05,42.5,302.3427402205822,31.303894042968754,0.0035390833232137897,0.027742843305368026,0.00260613401381208,0.03388806064239389,Singapore,SGP,,,,Linux-6.1.85+-x86_64-with-glibc2.35,3.10.12,2.4.2,12,Intel(R) Xeon(R) CPU @ 2.20GHz,1,1 x NVIDIA A100-SXM4-40GB,103.8503,1.2868,83.47705078125,machine,N,1.0
`;
const options = { offset: 0, version: "0.1.0" };
const imported = (text: string) => {
  const [card] = importCodeCarbon(text, options);
  if (card === undefined) throw new Error("no card");
  return card;
};

describe("CodeCarbon's file", () => {
  test("a real one is read in kg and kWh", () => {
    const card = imported(REAL);
    expect(card.measures.energy?.gross.value).toBeCloseTo(0.03388806064239389 * 3.6e6, 6);
    expect(card.measures.emissions?.value).toBeCloseTo(16.563636840486076, 9);
    // 16.56 g / 0.03389 kWh: what CodeCarbon took for Singapore.
    expect(card.signal?.intensity.value).toBeCloseTo(488.8, 1);
    expect(card).toMatchObject({
      id: "codecarbon-979336a5-c7de-4edf-b1ed-ab25fad914c1",
      startedAt: "2024-05-27T11:26:35.218Z",
      signal: { zone: "SGP", scope: "unknown" },
      machine: { cpu: { threads: 12 }, gpus: [{ name: "1 x NVIDIA A100-SXM4-40GB" }] },
    });
    expect(card.components.map(({ domain }) => domain)).toEqual(["cpu", "gpu", "memory"]);
  });

  test("is never taken for a measurement, and carries an interval", () => {
    const gross = imported(REAL).measures.energy?.gross;
    expect(gross).toMatchObject({ method: "declared", source: "CodeCarbon 2.4.2, machine mode" });
    expect((gross?.high ?? 0) / (gross?.value ?? 1)).toBeCloseTo(3.05, 2);
  });

  test("times without a zone are moved by the offset that was given", () => {
    const [card] = importCodeCarbon(REAL, { ...options, offset: utcOffset("+08:00") });
    expect(card?.endedAt).toBe("2024-05-27T03:31:35.000Z");
    expect(() => utcOffset("8")).toThrow("cannot read");
    expect(utcOffset("-05:30")).toBe(-330);
  });

  test("of rows that one run wrote while it went on, the last counts", () => {
    const [, row = ""] = REAL.split("\n");
    const early = row
      .replace("0.03388806064239389", "0.0200")
      .replace("0.016563636840486076", "0.0098");
    expect(importCodeCarbon(`${HEAD}\n${early}\n${row}\n`, options)).toHaveLength(1);
    expect(imported(`${HEAD}\n${early}\n${row}\n`)).toEqual(imported(REAL));
  });

  test.each([
    [
      "grams instead of kilograms",
      REAL.replace("0.016563636840486076,5.5", "16.563636840486076,5.5"),
    ],
    ["joules instead of kWh", REAL.replace("0.03388806064239389", "121997")],
    [
      "parts in Wh, the whole in kWh",
      REAL.replace("0.0035390833232137897,0.027742843305368026", "3.539,27.742"),
    ],
    ["a unit in the heading", REAL.replace("duration,emissions,", "duration,emissions_g,")],
    [
      "energy in watt hours throughout",
      REAL.replace(
        "0.0035390833232137897,0.027742843305368026,0.00260613401381208,0.03388806064239389",
        "3.539,27.743,2.606,33.888",
      ).replace("0.016563636840486076,5.5", "16.563636840486076,5.5"),
    ],
  ])("%s is refused", (_, text) => {
    expect(() => importCodeCarbon(text, options)).toThrow("units are not CodeCarbon's");
  });

  test.each([
    ["nothing", "", "there is no row"],
    ["another table", "a,b\n1,2\n", "there is no column timestamp"],
    [
      "a number that is none",
      REAL.replace("299.7817449569702", "long"),
      'row 2: duration is "long"',
    ],
    ["a row cut short", REAL.slice(0, -40), "not a CSV file"],
  ])("%s is refused", (_, text, message) => {
    expect(() => importCodeCarbon(text, options)).toThrow(message);
  });

  test("two imported runs are never taken for one machine", () => {
    const other = REAL.replace("979336a5", "11111111");
    const merged = mergeCards([imported(REAL), imported(other)], { id: "m", version: "0" });
    expect(merged.measures.energy?.gross.value).toBeCloseTo(2 * 0.03388806064239389 * 3.6e6, 6);
  });
});

/** SPEC PTDaemon, as MLPerf Power submits it. */
const ptd = (second: number, power: number): string =>
  `Time,01-31-2026 12:00:${String(second).padStart(2, "0")}.000,Watts,${power},Volts,230.1,Amps,0.5,PF,0.99,Mark,notset`;
const log = (...lines: readonly string[]): string => `${lines.join("\n")}\n`;
const power = (text: string, more = {}) =>
  importPowerLog(text, "runs/spl.txt", { name: "resnet", ...options, ...more });

describe("a power log", () => {
  test("is integrated by trapezoids at the wall", () => {
    const card = power(log(ptd(0, 100), ptd(1, 200), ptd(2, 100), ptd(3, 100)));
    // 150 + 150 + 100.
    expect(card.measures.energy?.gross.value).toBeCloseTo(400, 9);
    expect(card.measures.duration.value).toBe(3);
    expect(card).toMatchObject({
      boundary: { scope: "wall", headline: "gross" },
      startedAt: "2026-01-31T12:00:00.000Z",
    });
    expect(card.measures.energy?.gross.method).toBe("sampled");
    expect(card.measures.power?.peak?.value).toBe(200);
    expect(card.notices.join()).toContain("taken as UTC");
  });

  test("only samples of the window count, so that ranging and idle time stay out", () => {
    const text = log(
      ...Array.from({ length: 10 }, (_, second) => ptd(second, second < 4 ? 10 : 100)),
    );
    const from = Date.parse("2026-01-31T12:00:05Z");
    expect(power(text, { from }).measures.energy?.gross.value).toBeCloseTo(400, 9);
  });

  test("a hole is bridged, named and widens the interval; a reading of 0 W is one", () => {
    const whole = power(log(...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((second) => ptd(second, 100))));
    const holed = power(log(...[0, 1, 2, 8, 9].map((second) => ptd(second, 100))));
    const zero = power(
      log(...[0, 1, 2, 3, 4].map((second) => ptd(second, second === 2 ? 0 : 100))),
    );
    expect(holed.gaps).toHaveLength(1);
    expect(holed.measures.energy?.gross.value).toBeCloseTo(900, 6);
    expect(holed.measures.energy?.gross.low).toBeLessThan(whole.measures.energy?.gross.low ?? 0);
    expect(zero.measures.energy?.gross.value).toBeCloseTo(400, 6);
    expect(zero.gaps[0]?.reason).toContain("it read 0 W");
  });

  test("the same file gives the same run, and less than two samples none", () => {
    const text = log(ptd(0, 100), ptd(1, 100));
    expect(power(text).id).toBe(power(text).id);
    expect(() => power(log(ptd(0, 100)))).toThrow("1 samples there: no energy");
    expect(() => power("nonsense\n")).toThrow("spl.txt");
  });
});

const FIELDS =
  "JobID|JobName|Submit|Start|End|Elapsed|Partition|NNodes|NCPUS|TotalCPU|CPUTime|ReqMem|MaxRSS|State|AllocTRES";
const slurm: SlurmOptions = {
  coreTdp: watts(10),
  gpuTdp: watts(250),
  pue: exact("1", 1, { method: "declared", source: "given" }),
  signal: exampleCard().signal as SlurmOptions["signal"],
  ...options,
};
const job = (fields: string, more: Partial<SlurmOptions> = {}) =>
  importSacct(`${FIELDS}\n${fields}\n`, { ...slurm, ...more });

describe("Slurm's accounting", () => {
  const cpu =
    "7|train|2026-01-01T00:00:00|2026-01-01T01:00:00|2026-01-01T02:00:00|01:00:00|cpu|1|8|04:00:00|08:00:00|0G||COMPLETED|cpu=8";

  test("gives time and CPU time as Slurm recorded them, energy as an estimate", () => {
    const { cards, skipped } = job(cpu);
    expect(skipped).toEqual([]);
    const [card] = cards;
    // 4 h of CPU time x 10 W.
    expect(toKilowattHours(card?.measures.energy?.gross.value ?? (0 as never))).toBeCloseTo(
      0.04,
      12,
    );
    expect(card?.measures.energy?.gross.method).toBe("estimated");
    expect(card?.measures.cpuTime).toMatchObject({ value: 14_400, method: "measured" });
    expect(card).toMatchObject({ startedAt: "2026-01-01T01:00:00.000Z", status: "complete" });
    expect(card?.measures.emissions?.value).toBeCloseTo(0.04 * 380, 8);
  });

  test("no energy is made up for a CPU or a GPU that nobody named", () => {
    const gpu = cpu.replace("cpu=8", "cpu=8,gres/gpu=2");
    for (const { cards } of [job(cpu, { coreTdp: null }), job(gpu, { gpuTdp: null })]) {
      expect(cards[0]?.measures.energy).toBeUndefined();
      expect(cards[0]?.measures.emissions).toBeUndefined();
      expect(cards[0]?.notices[0]).toMatch(/--(gpu-)?tdp/);
    }
    expect(job(gpu).cards[0]?.measures.energy?.gross.value).toBeCloseTo(0.54 * 3.6e6, 6);
  });

  test("what has not ended or has no time is left out and named", () => {
    const running = cpu.replace("COMPLETED", "RUNNING").replace("7|", "8|");
    const timeless = "9|x||Unknown|Unknown|00:00:10|cpu|1|1|00:00:10|00:00:10|1G||COMPLETED|";
    expect(job(`${running}\n${timeless}`)).toEqual({ cards: [], skipped: ["8", "9"] });
  });

  test("states, array jobs and a missing start are told", () => {
    const lines = [
      cpu.replace("7|", "10_3|").replace("COMPLETED", "TIMEOUT"),
      cpu.replace("7|", "11|").replace("COMPLETED", "CANCELLED by 1000"),
      cpu
        .replace("7|", "12|")
        .replace("2026-01-01T01:00:00", "")
        .replace("2026-01-01T02:00:00", ""),
    ];
    const { cards } = job(lines.join("\n"), { offset: 60 });
    expect(cards.map(({ status }) => status)).toEqual(["failed", "interrupted", "complete"]);
    expect(cards[0]?.id).toMatch(/^slurm-10_3-/);
    expect(cards[2]?.startedAt).toBe("2025-12-31T23:00:00.000Z");
    expect(cards[2]?.notices.join()).toContain("the time of submission stands for it");
  });
});

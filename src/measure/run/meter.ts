// One measured run: sensors are sampled from `start` to `stop`, spans are opened and closed inside,
// every record goes to the sink as it comes, and the card is made at the end. A meter never prints
// and never fails the work that it measures: what goes wrong becomes a notice on the card.

import type { Card, Machine, Signal } from "../../core/card.ts";
import { newCardId } from "../../core/id.ts";
import type { Figure, Host } from "../../core/index.ts";
import { VERSION } from "../../core/version.ts";
import type { SensorProvider } from "../sensors/index.ts";
import { assemble } from "./assemble.ts";
import { createBroadcast } from "./broadcast.ts";
import { clip } from "./clip.ts";
import { createGpuUsage } from "./gpu-use.ts";
import { measureIdle } from "./idle.ts";
import { createJournal, type RecordSink } from "./journal.ts";
import { processStart } from "./liveness.ts";
import type { EndRecord, SegmentRecord, StartRecord, TickRecord, WallModel } from "./record.ts";
import { type Summary, summarise } from "./result.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import { type Setup, setUp, startRecord } from "./setup.ts";
import { ownUse, type SubjectUse, usageOf } from "./usage.ts";

export interface MeterOptions {
  readonly host: Host;
  readonly providers: readonly SensorProvider[];
  readonly subject: Card["subject"];
  /** What an earlier `setUp` found here; looked for at the start when absent. */
  readonly setup?: Setup;
  readonly signal?: Signal;
  readonly pue?: Figure<"1">;
  readonly wall?: WallModel;
  /** Seconds between samples; chosen by the sensors when absent. */
  readonly interval?: number;
  /** Seconds of quiet to measure idle power in before the start. */
  readonly idleBaseline?: number;
  /** Idle power that earlier runs saw, by sensor id, of sensors without a baseline; asked at the end. */
  readonly idleHistory?: (of: {
    readonly machine: Machine;
    readonly sensors: StartRecord["sensors"];
  }) => Promise<StartRecord["idle"]>;
  /** Use of the subject; this process is the subject when absent. */
  readonly subjectUse?: () => Promise<SubjectUse>;
  /** How `subjectUse` counts, for the card. */
  readonly cpuTime?: NonNullable<StartRecord["cpuTime"]>;
  /** Where records go as they come, by the run's id. */
  readonly sink?: (id: string) => RecordSink;
  /** Hears at once what the card will say at the end. */
  readonly onNotice?: (text: string) => void;
}

/** How a run ended, and what only its caller knows. */
export interface Ending {
  readonly status?: Card["status"];
  readonly exit?: Card["exit"];
  /** Exact CPU seconds of the subject, after it was waited for. */
  readonly subjectS?: number | null;
  readonly extra?: EndRecord["extra"];
  readonly quality?: Card["quality"];
}

/** One live sample. */
export interface Sample {
  /** Seconds since the start. */
  readonly t: number;
  /** Joules since the start, by sensor id; null inside a gap. */
  readonly joules: Readonly<Record<string, number | null>>;
  /** Busy CPU seconds of the machine and of the subject since the start. */
  readonly busyS: number | null;
  readonly subjectS: number | null;
}

/** A named interval of a run that is still open. */
export interface OpenSpan {
  readonly index: number;
  readonly name: string;
  /** Closes the span, now or as of a monotonic moment; closing twice gives the same answer. */
  close(at?: bigint): Promise<Summary>;
}

export interface Meter {
  /** Id of the run and of its card. */
  readonly id: string;
  /** Sensors of the run with which of them count; empty before the start. */
  sensors(): StartRecord["sensors"];
  start(): Promise<void>;
  /** `at`: the monotonic moment when it began, where that was seen before it could be told. */
  openSpan(name: string, parent?: number, at?: bigint): Promise<OpenSpan>;
  note(text: string): void;
  /** What the run has used by its samples so far. Takes longer the longer the run. */
  soFar(): Summary;
  /** Live samples from now on, until the end. Waiting for one keeps no process alive by itself. */
  samples(): AsyncIterable<Sample>;
  /** Takes the last sample and makes the card. */
  stop(ending?: Ending): Promise<Card>;
}

/** A tick so young stands for now, seconds. */
const FRESH = 0.05;

export function createMeter(options: MeterOptions): Meter {
  const { host } = options;
  const id = newCardId(host);
  const notices: string[] = [];
  const live = createBroadcast<Sample>();
  const journal = createJournal(options.sink?.(id), (reason) => note(unsaved(reason)));
  let sampler: Sampler | null = null;
  let first: StartRecord | null = null;
  let latest: TickRecord | null = null;
  let spans = 0;
  const cost = { cpuS: 0, wallS: 0 };

  const seconds = (): number => Number(host.monotonic()) / 1e9;

  function note(text: string): void {
    options.onNotice?.(text);
    if (first === null) notices.push(text);
    else journal.append({ type: "notice", t: sampler?.now() ?? 0, text });
  }

  const emit = (record: SegmentRecord): void => {
    journal.append(record);
    if (record.type === "notice") options.onNotice?.(record.text);
    if (record.type !== "tick" || first === null) return;
    latest = record;
    live.publish(sampleOf(record, first));
  };

  const running = (): { sampler: Sampler; start: StartRecord } => {
    if (sampler === null || first === null) throw new Error("the meter has not been started");
    return { sampler, start: first };
  };

  /** Makes sure that there is a tick that stands for a moment, now if none is given, and says when it was. */
  const mark = async (at?: bigint): Promise<number> => {
    const { sampler } = running();
    const now = sampler.now(at);
    // The first tick alone has no power to go on with.
    if (latest === null || latest.t === 0 || now - latest.t > FRESH) await sampler.poll();
    return now;
  };

  const summaryOf = (from: number, to: number): Summary => {
    const records = clip(journal.records(), from, to);
    if (records !== null) return summarise(records);
    return { duration: to - from, notices: ["too short to be seen"] };
  };

  const idleHistoryOf = async ({ machine, ...start }: StartRecord) => {
    const sensors = start.sensors.filter(
      ({ id, counted, method }) =>
        counted && method !== "estimated" && start.idle[id] === undefined,
    );
    if (sensors.length === 0) return undefined;
    // Without it the rule for runs without a baseline holds, as on a machine's first runs.
    return options.idleHistory?.({ machine, sensors }).catch(() => undefined);
  };

  return {
    id,
    sensors: () => first?.sensors ?? [],
    note,

    async start() {
      const begun = seconds();
      cost.cpuS = host.ownUsage().cpuS;
      const setup = options.setup ?? (await setUp(host, options));
      const sensors = setup.survey.sensors.map(({ sensor }) => sensor);
      const threads = setup.machine.cpu.threads;
      const idle =
        options.idleBaseline === undefined
          ? { power: {}, notices: [] }
          : await measureIdle(host, sensors, { seconds: options.idleBaseline, threads });
      for (const text of idle.notices) note(text);
      first = startRecord(host, setup, {
        id,
        startedAt: new Date(host.wall()).toISOString(),
        subject: options.subject,
        pid: host.pid,
        pidStart: await processStart(host, host.pid),
        interval: options.interval ?? 1,
        idle: idle.power,
        ...(options.cpuTime === undefined ? {} : { cpuTime: options.cpuTime }),
        version: VERSION,
        notices: [...notices],
      });
      journal.append(first);
      const { interval } = options;
      const counted = setup.survey.sensors.filter((ranked) => ranked.counted);
      const gpus = createGpuUsage(
        host,
        counted.map(({ sensor }) => sensor),
      );
      sampler = createSampler({
        host,
        sensors,
        usage: (machine) => usageOf(machine, options.subjectUse ?? (() => ownUse(host)), gpus),
        emit,
        ...(interval === undefined ? {} : { interval }),
      });
      cost.wallS += seconds() - begun;
      await sampler.start();
    },

    async openSpan(name, parent, at) {
      const index = spans++;
      const start = await mark(at);
      let closing: Promise<Summary> | null = null;
      const close = async (at?: bigint): Promise<Summary> => {
        const end = await mark(at);
        journal.append({ type: "span", index, name, start, end, parent: parent ?? null });
        return summaryOf(start, end);
      };
      return {
        index,
        name,
        close(at) {
          closing ??= close(at);
          return closing;
        },
      };
    },

    soFar: () => summarise(journal.records()),

    samples: () => live.subscribe(),

    async stop(ending = {}) {
      const { sampler, start } = running();
      const { t } = await sampler.stop();
      const begun = seconds();
      const idle = await idleHistoryOf(start);
      const { cpuS, rssBytes } = host.ownUsage();
      cost.wallS += seconds() - begun;
      const isOther = options.subjectUse !== undefined;
      const overhead = { cpuS: cpuS - cost.cpuS, wallS: cost.wallS, rssBytes };
      journal.append({
        type: "end",
        t,
        endedAt: new Date(Date.parse(start.startedAt) + t * 1000).toISOString(),
        status: ending.status ?? "complete",
        exit: ending.exit ?? null,
        subjectS: ending.subjectS ?? null,
        // Inside the subject's own process the meter's cost cannot be told from the subject's.
        overhead: isOther ? overhead : null,
        extra: ending.extra ?? {},
        quality: ending.quality ?? null,
        ...(idle === undefined ? {} : { idle }),
      });
      live.end();
      return assemble(journal.records());
    },
  };
}

function sampleOf({ t, values, busyS, subjectS }: TickRecord, start: StartRecord): Sample {
  const joules = start.sensors.map(({ id }, index) => [id, values[index] ?? null] as const);
  return Object.freeze({ t, joules: Object.freeze(Object.fromEntries(joules)), busyS, subjectS });
}

const unsaved = (reason: string): string =>
  `samples are not being saved, so a crash would lose this run: ${reason}`;

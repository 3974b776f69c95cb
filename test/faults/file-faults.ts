// Faults of files: what a crash, a full disk, another program or a bad block leaves of a run's records, the
// ledger and the shipped tables.

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { Card } from "../../src/core/card.ts";
import { createNodeHost } from "../../src/core/host/node-host.ts";
import { UserError } from "../../src/core/index.ts";
import { createSegment, openLedger, segmentPath } from "../../src/ledger/index.ts";
import { locate } from "../../src/measure/carbon/index.ts";
import { recoverRuns } from "../../src/measure/run/recover.ts";
import { DRAM_ZONE, powercap, SELF, ZONE } from "./counter-machines.ts";
import { type Fault, hostFault, type Rig } from "./fault.ts";
import { logged } from "./meter-machines.ts";

/** A folder that is gone after the test. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "godwit-faults-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A run that is killed at its end; then something happens to its files, and it is recovered. */
export function afterCrash(
  rig: Rig,
  damage: (paths: { readonly segment: string; readonly folder: string }) => void,
): void {
  const folder = temporaryFolder();
  let isDead = false;
  rig.sink = (id) => {
    const segment = createSegment(folder, id);
    return { append: (record) => (isDead ? null : segment.append(record)) };
  };
  rig.finish = async (meter) => {
    isDead = true;
    rig.host.files.delete("/proc/4242/stat");
    damage({ segment: segmentPath(folder, meter.id), folder });
    return recover(rig, folder, meter.id);
  };
}

/** The card that `godwit runs` finds for an interrupted run; what cannot be read back is said there. */
async function recover({ host }: Rig, folder: string, id: string): Promise<Card> {
  const ledger = await openLedger(folder);
  try {
    const { lost } = await recoverRuns(host, ledger);
    const [fault] = lost;
    if (fault === undefined) return await ledger.get(id);
    throw new UserError("ledger", `the samples of run ${id} cannot be read back: ${fault.reason}`, {
      hint: `godwit rm ${id} removes them.`,
    });
  } finally {
    ledger.close();
  }
}

/** The same, of a machine whose process table tells that the writer is gone. */
const crash =
  (damage: Parameters<typeof afterCrash>[1]) =>
  (rig: Rig): void => {
    for (const [path, text] of Object.entries(SELF)) rig.host.files.set(path, text);
    afterCrash(rig, damage);
  };

/** Lines of a segment, changed. */
const rewrite = (segment: string, change: (lines: string[]) => readonly string[]): void => {
  const lines = readFileSync(segment, "utf8").trimEnd().split("\n");
  writeFileSync(segment, `${change(lines).join("\n")}\n`);
};

/** Neither RAPL nor a table of the package can be read. */
function withoutTables(rig: Rig, readData: Rig["host"]["readData"]): void {
  for (const zone of [ZONE, DRAM_ZONE]) {
    rig.host.files.set(`${zone}/energy_uj`, { fault: "EACCES" });
  }
  rig.host.readData = readData;
}

export const fileFaults: readonly Fault[] = [
  {
    name: "the run is killed and its last line is torn",
    on: powercap,
    inject: crash(({ segment }) => appendFileSync(segment, '{"type":"tick","t":60,"val')),
    expect: "notice",
    why: "nothing but that line is lost; the run is said to be interrupted",
  },
  {
    name: "the run is killed and half of its records are lost",
    on: powercap,
    inject: crash(({ segment }) =>
      truncateSync(segment, Math.floor(readFileSync(segment).length / 2)),
    ),
    expect: "notice",
    why: "figures end at the last sample, and say so",
  },
  {
    name: "lines in the middle of the records are garbage",
    on: powercap,
    inject: crash(({ segment }) =>
      rewrite(segment, (lines) =>
        lines.map((line, at) => (at > 20 && at < 25 ? "\u0000\ufffd{{" : line)),
      ),
    ),
    expect: "notice",
    why: "ticks are cumulative, so nothing is lost; that lines were passed over is said",
  },
  {
    name: "ticks in the records are of another shape",
    on: powercap,
    inject: crash(({ segment }) =>
      rewrite(segment, (lines) =>
        lines.map((line, at) =>
          at > 20 && at < 25 ? line.replace('"values":[', '"values":["') : line,
        ),
      ),
    ),
    expect: "notice",
    why: "records are looked at before they are believed",
  },
  {
    name: "the records are written twice over",
    on: powercap,
    inject: crash(({ segment }) => rewrite(segment, (lines) => [...lines, ...lines])),
    expect: "notice",
    why: "time only goes on: what is told again is not counted again",
  },
  {
    name: "the records are out of order",
    on: powercap,
    inject: crash(({ segment }) =>
      rewrite(segment, ([start = "", ...rest]) => [
        start,
        ...rest.slice(0, 20),
        ...rest.slice(30),
        ...rest.slice(20, 30),
      ]),
    ),
    expect: "notice",
    why: "a tick that comes late is dropped, and with it resolution, not energy",
  },
  {
    name: "a line of seventeen megabytes stands in the records",
    on: powercap,
    inject: crash(({ segment }) => appendFileSync(segment, `"${"x".repeat(17 * 2 ** 20)}"\n`)),
    expect: "notice",
    why: "it is passed over without being kept in memory",
  },
  {
    name: "the records are random bytes",
    on: powercap,
    inject: crash(({ segment }) =>
      writeFileSync(
        segment,
        Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256),
      ),
    ),
    expect: "refused",
    why: "there is nothing to make a card of",
  },
  {
    name: "the records are empty",
    on: powercap,
    inject: crash(({ segment }) => writeFileSync(segment, "")),
    expect: "refused",
    why: "there is nothing to make a card of",
  },
  {
    name: "the first record is lost",
    on: powercap,
    inject: crash(({ segment }) => rewrite(segment, ([, ...rest]) => rest)),
    expect: "refused",
    why: "without it nobody knows which sensor a number is of",
  },
  {
    name: "the records are a folder",
    on: powercap,
    inject: crash(({ segment }) => {
      rmSync(segment);
      mkdirSync(segment);
    }),
    expect: "refused",
    why: "a folder has no lines",
  },
  {
    name: "the records are a link to themselves",
    on: powercap,
    inject: crash(({ segment }) => {
      rmSync(segment);
      symlinkSync(segment, segment);
    }),
    expect: "refused",
    why: "what cannot be followed cannot be read",
  },
  {
    name: "the records are of a newer version",
    on: powercap,
    inject: crash(({ segment }) =>
      rewrite(segment, (lines) =>
        lines.map((line) => line.replace("godwit.segment/1", "godwit.segment/9")),
      ),
    ),
    expect: "refused",
    why: "numbers of an unknown meaning are not added up",
  },
  {
    name: "the ledger is garbage",
    on: powercap,
    inject: crash(({ folder }) => writeFileSync(join(folder, "ledger.db"), "no database at all")),
    expect: "refused",
    why: "nothing is overwritten",
  },
  {
    name: "the ledger is another program's database",
    on: powercap,
    inject: crash(({ folder }) => {
      const other = new DatabaseSync(join(folder, "ledger.db"));
      other.exec("CREATE TABLE theirs (a); PRAGMA application_id = 1");
      other.close();
    }),
    expect: "refused",
    why: "nothing is overwritten",
  },
  {
    name: "the ledger is of a newer version",
    on: powercap,
    inject: crash(({ folder }) => {
      const newer = new DatabaseSync(join(folder, "ledger.db"));
      newer.exec(
        "CREATE TABLE cards (a); PRAGMA application_id = 1735353463; PRAGMA user_version = 999",
      );
      newer.close();
    }),
    expect: "refused",
    why: "an older program does not write into what it does not know",
  },
  {
    name: "the ledger's file is a folder",
    on: powercap,
    inject: crash(({ folder }) => mkdirSync(join(folder, "ledger.db"))),
    expect: "refused",
    why: "the path is named",
  },
  {
    name: "the ledger's folder is a file",
    on: powercap,
    inject: (rig) => {
      const file = join(temporaryFolder(), "file");
      writeFileSync(file, "");
      rig.sink = (id) => createSegment(join(file, "ledger"), id);
    },
    expect: "notice",
    why: "the run goes on; that a crash would lose it is said at once",
  },
  {
    name: "the disk is full",
    on: powercap,
    inject: (rig) => {
      rig.sink = () => ({ append: () => ({ reason: "ENOSPC: no space left on device" }) });
    },
    expect: "notice",
    why: "the run goes on; that a crash would lose it is said at once",
  },
  {
    name: "the disk becomes read-only in the middle",
    on: powercap,
    inject: (rig) => {
      let readOnly = false;
      rig.at(30, () => {
        readOnly = true;
      });
      rig.sink = () => ({
        append: () => (readOnly ? { reason: "EROFS: read-only file system" } : null),
      });
    },
    expect: "notice",
    why: "the run goes on; that a crash would lose it is said at once",
  },
  {
    name: "neither counters nor the package's tables can be read",
    on: powercap,
    inject: (rig) => withoutTables(rig, () => Promise.reject(hostFault("EACCES"))),
    expect: "notice",
    why: "nothing is measured and nothing can be modelled, and that is what the card says",
  },
  {
    name: "the counters cannot be read and the model's table is garbage",
    on: powercap,
    inject: (rig) => {
      const { readData } = rig.host;
      withoutTables(rig, async (path) =>
        path.startsWith("power-model") ? '{"schema": "godwit.pow' : readData(path),
      );
    },
    expect: "notice",
    why: "a model without coefficients does not answer",
  },
  {
    name: "the counters cannot be read and the table of processors is garbage",
    on: powercap,
    inject: (rig) => {
      const { readData } = rig.host;
      withoutTables(rig, async (path) =>
        path === "cpus/cpus.csv" ? "\u0001\u0002" : readData(path),
      );
    },
    expect: "wider interval",
    why: "a processor that is in no table has no TDP: by its cores then, and wider",
  },
  {
    name: "the table of places cannot be read",
    on: powercap,
    inject: (rig) => {
      rig.host.readData = (path) => createNodeHost().readData(`gone/${path}`);
      rig.prepare = async () => ({ signal: await locate(rig.host, { location: "DE" }) });
    },
    expect: "refused",
    why: "an intensity is not made up",
  },
  {
    name: "the table of places is garbage",
    on: powercap,
    inject: (rig) => {
      rig.host.readData = async () => "<html>not found</html>";
      rig.prepare = async () => ({ signal: await locate(rig.host, { location: "DE" }) });
    },
    expect: "refused",
    why: "an intensity is not made up",
  },
  {
    name: "the meter's file has no end",
    on: logged,
    inject: ({ host, at }) =>
      at(25, () => {
        host.openFile = async () => ({
          read: async (_, length) => new Uint8Array(length),
          close: async () => {},
        });
      }),
    expect: "gap",
    why: "/dev/zero is no log",
  },
  {
    name: "the meter's file is a terabyte without a line",
    on: logged,
    inject: ({ host, at }) =>
      at(25, () => {
        host.openFile = async (path) => ({
          async read(offset, length) {
            if (offset + length > 2 ** 40) throw hostFault("EIO", path);
            return new Uint8Array(length).fill(0x37);
          },
          close: async () => {},
        });
      }),
    expect: "gap",
    why: "only its end is read, and that holds no line",
  },
];

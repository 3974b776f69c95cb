// When nodes had work, from lines of `sacct --parsable2` with JobIDRaw, Start, End and NodeList, times as
// Unix seconds (SLURM_TIME_FORMAT=%s).

import { expandHostList } from "./host-list.ts";

/** A job on its nodes, from `start` to `end`, Unix seconds. */
export interface NodeUse {
  readonly job: string;
  readonly nodes: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** Jobs that have begun; one that still runs ends at `now` for this purpose. Other lines are left out. */
export function readHistory(text: string, now: number): readonly NodeUse[] {
  return text.split("\n").flatMap((line): NodeUse[] => {
    const [job = "", started = "", ended = "", list = ""] = line.split("|");
    const start = Number(started || Number.NaN);
    const end = ended === "Unknown" ? now : Number(ended || Number.NaN);
    if (!(start > 0) || !(end >= start) || list === "" || list === "None assigned") return [];
    return [{ job, nodes: expandHostList(list), start, end }];
  });
}

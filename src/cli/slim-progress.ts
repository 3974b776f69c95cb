// Progress of a search on standard error: one line that is written over on a terminal, else one line for
// each stage.

import type { Progress, SearchEvent } from "../models/compress/index.ts";
import { cut } from "../report/columns.ts";
import type { CliContext } from "./context.ts";

export interface SearchProgress {
  stage(text: string): void;
  onEvent(event: SearchEvent): void;
  onPass(progress: Progress): void;
  end(): void;
}

/** `quiet` says nothing at all. */
export function searchProgress({ stderr }: CliContext, quiet: boolean): SearchProgress {
  let stage = "";
  let total: number | null = null;
  const write = (line: string): void => {
    if (quiet) return;
    const shown = cut(line, stderr.columns - 1);
    if (stderr.isTTY) stderr.write(`\r\u001b[2K${shown}`);
  };
  const begin = (text: string): void => {
    stage = text;
    if (quiet) return;
    if (stderr.isTTY) write(text);
    else stderr.write(`${text}\n`);
  };
  return {
    stage: begin,
    onPass: ({ pass, step, done, total: of }) =>
      write(`${stage}: ${pass}, ${step}, ${done}${of === null ? "" : ` of ${of}`}`),
    onEvent(event) {
      switch (event.kind) {
        case "stage":
          total = event.total;
          begin(event.stage);
          return;
        case "candidate": {
          const { name, drop } = event.candidate;
          const count = total === null ? `${event.done}` : `${event.done} of ${total}`;
          write(`${stage}, ${count}: ${name}, drop ${drop.toPrecision(2)}`);
          return;
        }
        case "out-of-time":
          begin("the time is up: going on with what is known");
          return;
        case "refused":
          return;
        default:
          return event satisfies never;
      }
    },
    end() {
      if (!quiet && stderr.isTTY) stderr.write("\r\u001b[2K");
    },
  };
}

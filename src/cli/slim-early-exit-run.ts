// A run of `godwit slim exit`, from its start to its exit code.

import type { Outcome } from "../report/slim/report.ts";
import type { CliContext } from "./context.ts";
import type { ExitRequest } from "./slim-early-exit-find.ts";
import { SLIM_EXIT } from "./slim-exit.ts";
import { unlessInterrupted } from "./slim-interrupt.ts";
import { searchProgress } from "./slim-progress.ts";

/** Finds exits, verifies the file, measures, reports. */
export async function runEarlyExit(context: CliContext, request: ExitRequest): Promise<void> {
  const progress = searchProgress(context, request.options.quiet === true);
  const { meterSearch } = await import("./slim-cards.ts");
  const metered = await meterSearch(context, request, "slim exit");
  const isDone = await unlessInterrupted(async (signal) => {
    try {
      const { findExits } = await import("./slim-early-exit-find.ts");
      const found = await findExits(context, request, { progress, signal });
      const { settleExits } = await import("./slim-early-exit-settle.ts");
      const settled = await settleExits(context, found, { progress, signal });
      const { reportExits } = await import("./slim-early-exit-report.ts");
      await reportExits(context, settled, { metered, progress });
      context.setExitCode(EXIT_OF[settled.outcome]);
      found.model.close();
    } catch (error) {
      await metered.fail();
      throw error;
    } finally {
      progress.end();
    }
  });
  if (isDone) return;
  context.stderr.write("interrupted: nothing was written\n");
  context.setExitCode(SLIM_EXIT.interrupted);
}

const EXIT_OF: Readonly<Record<Outcome, number>> = {
  improved: SLIM_EXIT.improved,
  "not-shown": SLIM_EXIT.notShown,
  nothing: SLIM_EXIT.nothing,
  faulty: SLIM_EXIT.faulty,
};

// The studies that can be replayed.

import { eurosys24 } from "./eurosys24.ts";
import { gaia } from "./gaia.ts";
import { letsWaitAwhile } from "./lets-wait-awhile.ts";
import type { Replay } from "./replay.ts";
import { zeus } from "./zeus.ts";

export { agrees, type Check, type Replay, type ReplayFiles } from "./replay.ts";

/** Every replay, in the order in which they are offered. */
export const REPLAYS: readonly Replay[] = [eurosys24, gaia, letsWaitAwhile, zeus];

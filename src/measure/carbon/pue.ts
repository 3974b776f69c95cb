// Power usage effectiveness: facility energy per energy of the machines in it (ISO/IEC 30134-2).

import { exact, type Figure, figure, UserError } from "../../core/index.ts";

/** Above this a facility would spend over four fifths of its energy on itself. */
const HIGHEST_PUE = 5;

export interface PueOptions {
  /** A value that was given. */
  readonly declared?: number;
  /** A desktop or a laptop: outside a data centre nothing is added. */
  readonly personal: boolean;
}

/** The PUE that applies. Throws UserError when the declared one cannot be right. */
export function pueOf({ declared, personal }: PueOptions): Figure<"1"> {
  if (declared !== undefined) {
    if (!(declared >= 1 && declared <= HIGHEST_PUE)) {
      throw new UserError("invalid-input", `a PUE of ${declared} cannot be right`, {
        hint: `PUE is facility energy over machine energy: 1 or more, at most ${HIGHEST_PUE}.`,
      });
    }
    return exact("1", declared, { method: "declared", source: "PUE as given" });
  }
  if (personal) {
    return exact("1", 1, { method: "declared", source: "PUE 1: not in a data centre" });
  }
  // Uptime Institute, Global Data Center Survey 2024: mean 1.56. The interval runs from large
  // operators' published fleets (Google 2023: 1.10) to small server rooms.
  return figure(
    "1",
    1.56,
    { low: 1.1, high: 2 },
    {
      method: "declared",
      source: "Uptime Institute survey mean, 2024",
      fallbacks: ["no PUE was given for this data centre (--pue)"],
    },
  );
}

// A signal as JSON and back, as godwit's files hold it.

import { signalsFromJson } from "../read-signal.ts";
import type { Signal } from "../signal.ts";
import type { SignalJson } from "./record.ts";

export function signalToJson(of: Signal): SignalJson {
  const utc = (moment: number): string => new Date(moment * 1000).toISOString();
  return {
    schema: "godwit.signal/1",
    ...{ zone: of.zone, kind: of.kind, basis: of.basis },
    ...{ issued_at: utc(of.issuedAt), start: utc(of.start), step_s: of.step },
    values_gco2e_per_kwh: [...of.values],
    source: of.source,
  };
}

/** Throws UserError when it is not a signal. */
export function signalOfJson(json: SignalJson): Signal {
  const [one] = signalsFromJson(JSON.stringify(json));
  if (one === undefined) throw new RangeError("one object gives one signal");
  return one;
}

// Which wall model a run on this machine has: that of its own calibration where the very sensors that
// it was made with count, else that of the machine's class.

import { type EstimatePlan, wallModelOf } from "../estimate/index.ts";
import type { Survey } from "../sensors/index.ts";
import type { WallModel } from "./record.ts";

export interface SupplyChoice {
  /** Null for a guest, whose supply is not its own, and where the class is not known. */
  readonly wall: WallModel | null;
  /** Why a calibration that there is was not used. */
  readonly notices: readonly string[];
}

/** The wall model behind the sensors that count. `plan` is null where its tables cannot be read. */
export function chooseSupply({ sensors }: Survey, plan: EstimatePlan | null): SupplyChoice {
  if (plan === null) return { wall: null, notices: [] };
  const { calibration, machine } = plan;
  const usual = wallModelOf(machine.machine);
  if (calibration.status === "none") return { wall: usual, notices: [] };
  if (calibration.status === "ignored") {
    return { wall: usual, notices: [`the calibration is not used: ${calibration.reason}`] };
  }
  const { supply } = calibration.profile;
  const counted = sensors.flatMap(({ sensor, counted }) =>
    counted && sensor.scope === "component" ? [sensor.id] : [],
  );
  if (supply === null || counted.length === 0) return { wall: usual, notices: [] };
  if (counted.toSorted().join() === supply.sensors.join()) {
    return { wall: { factor: supply.factor, base: supply.base }, notices: [] };
  }
  const then = supply.sensors.join(", ");
  const notice = `the calibrated supply is not used: it was found with ${then}, which is not what counts now`;
  return { wall: usual, notices: [notice] };
}

// Which wall model a run on this machine has: that of its own calibration where the very sensors that
// it was made with count, else that of the machine's class.

import { type EstimatePlan, wallModelOf } from "../estimate/index.ts";
import type { RankedSensor, Survey } from "../sensors/index.ts";
import type { WallModel } from "./record.ts";

export interface SupplyChoice {
  /** Null for a guest, whose supply is not its own, and where the class is not known. */
  readonly wall: WallModel | null;
  /** With what the wall model has in it counted no more. */
  readonly survey: Survey;
  /** Why a calibration that there is was not used. */
  readonly notices: readonly string[];
}

/** The wall model behind the sensors that count. `plan` is null where its tables cannot be read. */
export function chooseSupply(survey: Survey, plan: EstimatePlan | null): SupplyChoice {
  if (plan === null) return { wall: null, survey, notices: [] };
  const { calibration, machine } = plan;
  const usual = { wall: wallModelOf(machine.machine), survey, notices: [] };
  if (calibration.status === "none") return usual;
  if (calibration.status === "ignored") {
    return { ...usual, notices: [`the calibration is not used: ${calibration.reason}`] };
  }
  const { supply } = calibration.profile;
  const components = survey.sensors.filter((ranked) => {
    return ranked.counted && ranked.sensor.scope === "component" && !isMemoryModel(ranked);
  });
  if (supply === null || components.length === 0) return usual;
  const now = components.map(({ sensor }) => sensor.id).toSorted();
  if (now.join() === supply.sensors.join()) {
    const { factor, base } = supply;
    return { wall: { factor, base }, survey: withMemoryInside(survey), notices: [] };
  }
  const then = supply.sensors.join(", ");
  const notice = `the calibrated supply is not used: it was found with ${then}, and now ${now.join(", ")} count`;
  return { ...usual, notices: [notice] };
}

const isMemoryModel = ({ sensor }: RankedSensor): boolean =>
  sensor.domain === "memory" && sensor.method === "estimated";

/** Memory that no sensor reads is in the base that was measured: its model would count it again. */
function withMemoryInside(survey: Survey): Survey {
  return {
    ...survey,
    sensors: survey.sensors.map((ranked) =>
      ranked.counted && isMemoryModel(ranked)
        ? { ...ranked, counted: false, fallbacks: ["inside the base of the calibrated supply"] }
        : ranked,
    ),
    uncovered: survey.uncovered.filter(({ domain }) => domain !== "memory"),
  };
}

// What models cost to run.

export {
  type Cost,
  type CostOptions,
  type CostRatio,
  type CostVariant,
  measureCosts,
} from "./measure-cost.ts";
export {
  type SessionTuning,
  type SettingCost,
  settingText,
  type TuneSessionOptions,
  tuneSession,
} from "./tune-session.ts";

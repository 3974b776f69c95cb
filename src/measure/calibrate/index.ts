// Calibration of a machine against a meter: the public face.

export { type CalibrationOptions, calibrate, componentSensors } from "./calibrate.ts";
export { curvePower, type LoadCurve } from "./curve.ts";
export { PROFILE_SCHEMA, type Profile, parseProfile, profileText } from "./profile.ts";
export { expectedSeconds, type LoadGenerator, sequenceOf } from "./protocol.ts";
export type { CalibrationStep } from "./step.ts";
export {
  profilePath,
  provenance,
  type StoredProfile,
  staleReason,
  storedProfile,
} from "./stored.ts";
export type { Residual } from "./supply.ts";
export { findTruth, meterTruth, type Truth, typedTruth } from "./truth.ts";

// What this machine can be measured with.

export {
  DIAGNOSIS_SCHEMA,
  type Diagnosis,
  diagnose,
  type ProcessFacts,
  type ProviderFinding,
  type RungFinding,
} from "./diagnosis.ts";
export {
  applyFix,
  type FixStep,
  type FixTools,
  RAPL_GROUP,
  raplFixScript,
  raplFixSteps,
  TEMPORARY_FIX,
  UDEV_RULE,
} from "./rapl-fix.ts";
export { type DiagnosisOptions, renderDiagnosis } from "./terminal.ts";

// What this machine can be measured with.

export { diagnose, type ProcessFacts } from "./diagnosis.ts";
export {
  applyFix,
  CONTAINER_FIX,
  raplFixScript,
  raplFixSteps,
  TEMPORARY_FIX,
} from "./rapl-fix.ts";
export { renderDiagnosis } from "./terminal.ts";

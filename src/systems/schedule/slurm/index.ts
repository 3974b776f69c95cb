// Slurm as an engine of jobs: its commands, its answers, and how the store is kept in line with it.

export { createSlurmAgent } from "./agent.ts";
export { batchScript, launchWords } from "./batch-script.ts";
export { metered } from "./changes.ts";
export { createSlurmClient, type SlurmClient } from "./client.ts";
export { createSlurmEngine } from "./engine.ts";
export {
  chainLines,
  checkSettings,
  type HookSettings,
  IDLE_SCRIPT,
  renderPolicy,
  settingsOf,
  submitScript,
  USUAL_SETTINGS,
} from "./hook-policy.ts";
export { limitOf, optionValue, scriptOptions, splitSbatch } from "./sbatch-words.ts";
export { adviseSleep, type SleepAdvice } from "./sleep.ts";

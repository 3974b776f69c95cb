// Slurm as an engine of jobs: its commands, its answers, and how the store is kept in line with it.

export { type Answer, createSlurmClient, type SlurmClient, type Submitted } from "./client.ts";
export { createSlurmEngine } from "./engine.ts";
export { limitOf, optionValue, scriptOptions, splitSbatch } from "./sbatch-words.ts";
export type { SlurmData, SlurmSetting } from "./steps.ts";

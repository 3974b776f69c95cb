// Runs that other tools recorded, as cards. The public face.

export { type CodeCarbonOptions, importCodeCarbon } from "./codecarbon.ts";
export { utcOffset } from "./imported-card.ts";
export { importPowerLog, type PowerLogOptions } from "./power-log.ts";
export { importSacct, type SlurmImport, type SlurmOptions } from "./slurm.ts";

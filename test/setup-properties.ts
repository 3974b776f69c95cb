// Properties are tried on the same cases every time, so that a build says the same of the same code twice.
// GODWIT_SEED=$RANDOM npx vitest run looks further; what it finds becomes a case of its own.

import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["GODWIT_SEED"] ?? 1) });

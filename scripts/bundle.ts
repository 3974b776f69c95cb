// The command line as a few large files instead of two hundred small ones: each module costs time and
// memory when it is loaded, and `godwit run` waits beside what it measures. Of other packages only those that
// every command loads are inside, with their licences beside them.

import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

/**
 * Where parts go: as deep below the package as `src/core/host` is, which looks for its tables from
 * where it stands.
 */
const PARTS = "bundle/parts";

/** Loaded by every command; the schema library alone is a hundred modules, most of them languages. */
const INSIDE = ["zod", "commander", "@commander-js/extra-typings"] as const;

const isOutside = (id: string): boolean =>
  /^[^./]/.test(id) && !INSIDE.some((name) => id === name || id.startsWith(`${name}/`));

/** Modules that find a file from where they stand, and what of them must be a file of its own. */
const LOCATED: Readonly<Record<string, string | null>> = {
  "src/cli/main.ts": null,
  "src/core/host/node-host.ts": null,
  "src/engine/worker-session.ts": "src/engine/session-thread.ts",
  "src/measure/run/execute-load.ts": "src/measure/run/execute-load.ts",
  "src/measure/run/execute-watch.ts": "src/measure/run/execute-relay.ts",
};

/** Replaces `dist/cli` in the package at `root` (ends with a slash). */
export async function bundleCommandLine(root: string): Promise<void> {
  refuseUnknown(root);
  const files = Object.values(LOCATED).filter((file) => file !== null);
  const parts = files.map((file) => {
    const name = file.slice(file.lastIndexOf("/") + 1).replace(".ts", "");
    return [`${PARTS}/${name}`, join(root, file)];
  });
  rmSync(join(root, "dist/cli"), { recursive: true });
  const bundle = await rolldown({
    input: { "cli/main": join(root, "src/cli/main.ts"), ...Object.fromEntries(parts) },
    platform: "node",
    external: (id) => isOutside(id),
  });
  await bundle.write({
    dir: join(root, "dist"),
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: `${PARTS}/[name]-[hash].js`,
    // White space alone: the sources are kept in memory, and a stack trace should still name functions.
    minify: { mangle: false, compress: false, codegen: true },
  });
  await bundle.close();
  const licences = join(root, "dist/bundle/licences");
  mkdirSync(licences, { recursive: true });
  for (const name of INSIDE) {
    const file = join(root, "node_modules", name, "LICENSE");
    copyFileSync(file, join(licences, `${name.replace("/", "-")}.txt`));
  }
}

/** A module that looks for files beside itself would look in the wrong place, and only once built. */
function refuseUnknown(root: string): void {
  const found = globSync("src/**/*.ts", { cwd: root, exclude: ["src/**/*.test.ts"] })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => readFileSync(join(root, file), "utf8").includes("import.meta"));
  const unknown = found.filter((file) => !(file in LOCATED));
  if (unknown.length === 0) return;
  throw new Error(`scripts/bundle.ts does not know ${unknown.join(", ")}: add what it needs there`);
}

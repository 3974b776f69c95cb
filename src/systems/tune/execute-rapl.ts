// Power limits of CPU packages by the powercap tree of Linux (Documentation/power/powercap/powercap.rst): the
// long-term constraint of each package. Unverified on hardware: exercised on a made-up tree alone.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf, UserError } from "../../core/index.ts";
import type { PowerDevice } from "./limits.ts";

/** Where Linux shows the packages. */
export const POWERCAP = "/sys/class/powercap";

const PACKAGE = /^intel-rapl:\d+$/;

/** The packages below a powercap folder. Throws UserError when there is none that can be limited. */
export async function raplDevices(root: string): Promise<readonly PowerDevice[]> {
  const names = (await readdir(root).catch(() => [])).filter((name) => PACKAGE.test(name)).sort();
  const devices = await Promise.all(names.map((name) => packageAt(join(root, name))));
  const found = devices.flat();
  if (found.length > 0) return found;
  throw new UserError("unsupported", `no CPU package under ${root} has a power limit`, {
    hint: "Virtual machines and most non-Intel machines have none. Leave --power-limit out.",
  });
}

async function packageAt(folder: string): Promise<readonly PowerDevice[]> {
  const constraint = await longTerm(folder);
  if (constraint === null) return [];
  const file = join(folder, `${constraint}_power_limit_uw`);
  const current = (await numberIn(file)) / 1e6;
  const name = (await textIn(join(folder, "name"))) ?? folder;
  const most = (await numberIn(join(folder, `${constraint}_max_power_uw`)).catch(() => 0)) / 1e6;
  const range = await numberIn(join(folder, "max_energy_range_uj")).catch(() => 0);
  let [last, wraps] = [0, 0];
  return [
    {
      id: name.replace("-", " "),
      current,
      least: 1,
      // Some packages tell 0 for "not known": then the limit that is set is the most.
      most: Math.max(most, current),
      describe: (watts) => `echo ${Math.round(watts * 1e6)} > ${file}`,
      async set(watts) {
        try {
          await writeFile(file, String(Math.round(watts * 1e6)));
        } catch (cause) {
          throw new UserError(
            "denied",
            `${name} was not limited to ${watts} W: ${reasonOf(cause)}`,
            {
              hint: "Changing a limit takes root, and firmware that has not locked it.",
              cause,
            },
          );
        }
      },
      async joules() {
        const now = await numberIn(join(folder, "energy_uj")).catch(() => null);
        if (now === null) return null;
        if (now < last) wraps += 1;
        last = now;
        return (now + wraps * range) / 1e6;
      },
    },
  ];
}

/** `constraint_0` where its name is long_term; the other constraints are for moments. */
async function longTerm(folder: string): Promise<string | null> {
  for (const constraint of ["constraint_0", "constraint_1"])
    if ((await textIn(join(folder, `${constraint}_name`))) === "long_term") return constraint;
  return null;
}

async function textIn(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  return text === null ? null : text.trim();
}

async function numberIn(path: string): Promise<number> {
  const value = Number((await readFile(path, "utf8")).trim());
  if (!Number.isFinite(value))
    throw new UserError("invalid-input", `${path} holds no number`, { hint: "" });
  return value;
}

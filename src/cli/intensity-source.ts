// The sources of carbon intensity by the names under which commands take them: services, files, addresses.

import { cacheFolder, createFolderStore } from "../core/host/cache-folder.ts";
import { UserError } from "../core/index.ts";
import { type Basis, type Kind, loadFactors } from "../measure/carbon/index.ts";
import {
  createClient,
  electricityMaps,
  entsoe,
  fileOrUrl,
  type IntensityProvider,
  ukCarbonIntensity,
  wattTime,
} from "../measure/carbon/providers/index.ts";
import type { CliContext } from "./context.ts";

/** Where to ask, and how. */
export interface IntensitySource {
  readonly from: string;
  readonly offline: boolean;
  /** What was asked for, or for a file said; absent: as the source has it. */
  readonly scope?: "life-cycle" | "direct" | undefined;
  readonly kind?: Kind | undefined;
  readonly basis?: Basis | undefined;
}

/** The provider of a source. Throws UserError for one that is unknown or cannot give what was asked. */
export async function providerOf(
  { host, env }: CliContext,
  { from, offline, scope, kind, basis }: IntensitySource,
): Promise<IntensityProvider> {
  const store = createFolderStore(cacheFolder(env));
  const client = createClient({ host, store, offline, spacing: 200 });
  const isFile = /[./\\]/.test(from);
  if (!isFile) refuseOptions(from, { scope, kind, basis });
  switch (from) {
    case "electricity-maps":
      return electricityMaps(host, { client, ...(scope === undefined ? {} : { scope }) });
    case "watttime":
      return wattTime(host, { client });
    case "uk":
      return ukCarbonIntensity(host, { client });
    case "entsoe": {
      const factors = await loadFactors(host, "carboncast", scope ?? "life-cycle");
      return entsoe(host, { client, factors });
    }
    default: {
      if (!isFile) throw unknownSource(from);
      const accounting = {
        ...(kind === undefined ? {} : { kind }),
        ...(basis === undefined ? {} : { basis }),
        ...(scope === undefined ? {} : { scope }),
      };
      return fileOrUrl(host, { client, target: from, accounting });
    }
  }
}

/** A service says itself what its values are; what it cannot give is refused, not passed over. */
function refuseOptions(
  from: string,
  { scope, kind, basis }: Omit<IntensitySource, "from" | "offline">,
) {
  const isDirect = from === "uk" || from === "watttime";
  const refused = [
    { option: "--kind", isGiven: kind !== undefined },
    { option: "--basis", isGiven: basis !== undefined },
    { option: "--scope life-cycle", isGiven: isDirect && scope === "life-cycle" },
  ].find(({ isGiven }) => isGiven);
  if (refused === undefined) return;
  throw new UserError("usage", `${from} cannot be asked for ${refused.option}`, {
    hint: "Leave it out: the answer says what its values are.",
  });
}

const unknownSource = (from: string): UserError =>
  new UserError("usage", `--from: there is no source "${from}"`, {
    hint: "Give electricity-maps, watttime, uk, entsoe, or the path or address of a file.",
  });

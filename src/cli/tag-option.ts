// `--tag key=value`, which may be given several times: to name a run, or to choose among runs.

import { Option } from "@commander-js/extra-typings";
import { parseTag } from "./values.ts";

type Tags = Readonly<Record<string, string>>;

/** The option, with no tags unless some are given. */
export function tagOption(description: string) {
  return new Option("--tag <key=value>", description)
    .argParser((text, before: Tags) => parseTag("--tag", text, before))
    .default({} as Tags, "none");
}

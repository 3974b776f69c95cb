// How to let a group of users read RAPL's energy counters. The kernel keeps them for root because
// what they show leaks what other code computes (CVE-2020-8694), so that the lasting way opens them
// to a group and not to everybody.

import { type Host, UserError } from "../../core/index.ts";

/** Users who may read the counters. */
export const RAPL_GROUP = "rapl";
export const UDEV_RULE = "/etc/udev/rules.d/60-godwit-rapl.rules";

/** One command, or one file to write, and what it is for. */
export type FixStep =
  | { readonly kind: "command"; readonly why: string; readonly command: readonly string[] }
  | { readonly kind: "file"; readonly why: string; readonly path: string; readonly text: string };

/** The rule sets owner and mode whenever the kernel adds a zone, that is at every boot. */
const RULE = [
  "# Lets the group rapl read the energy counters of the processor.",
  'SUBSYSTEM=="powercap", ACTION=="add", TEST=="energy_uj", \\',
  `  RUN+="/bin/chgrp ${RAPL_GROUP} /sys%p/energy_uj", RUN+="/bin/chmod 0440 /sys%p/energy_uj"`,
  "",
].join("\n");

/** For this boot only, and for everybody. */
export const TEMPORARY_FIX = "sudo chmod a+r /sys/class/powercap/*/energy_uj";

/**
 * Container engines hide /sys/devices/virtual/powercap since 2023, by a mask and in AppArmor's
 * default profile (advisory GHSA-jq35-85cj-fj4p of moby). Mounting it does not help: the mask comes
 * after the mounts.
 */
export const CONTAINER_FIX = [
  "docker run --security-opt systempaths=unconfined --security-opt apparmor=unconfined ...",
  "podman run --security-opt unmask=/sys/devices/virtual/powercap ...",
].join("\n");

/** The lasting fix, step by step. `user` joins the group; null leaves that to the reader. */
export function raplFixSteps(user: string | null): readonly FixStep[] {
  const steps: readonly FixStep[] = [
    {
      kind: "command",
      why: "a group for those who may read",
      command: ["groupadd", "--force", "--system", RAPL_GROUP],
    },
    { kind: "file", why: "the permission, set at every boot", path: UDEV_RULE, text: RULE },
    {
      kind: "command",
      why: "make udev read the rule",
      command: ["udevadm", "control", "--reload"],
    },
    {
      kind: "command",
      why: "and apply it now",
      command: ["udevadm", "trigger", "--subsystem-match=powercap", "--action=add"],
    },
  ];
  if (user === null) return steps;
  return [
    ...steps,
    {
      kind: "command",
      why: "you join the group; log out and in again",
      command: ["usermod", "--append", "--groups", RAPL_GROUP, user],
    },
  ];
}

/** The steps as a script that a reader can check and run as root. */
export function raplFixScript(steps: readonly FixStep[]): string {
  return steps
    .flatMap((step) => [
      `# ${step.why}`,
      step.kind === "command"
        ? step.command.join(" ")
        : `cat > ${step.path} <<'EOF'\n${step.text}EOF`,
    ])
    .join("\n");
}

/** What carries the steps out. */
export interface FixTools {
  readonly host: Host;
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Called before each step. */
  readonly onStep?: (step: FixStep) => void;
}

/** Carries the steps out as root. Throws UserError naming the step that failed; later ones are not tried. */
export async function applyFix(
  steps: readonly FixStep[],
  { host, writeFile, onStep }: FixTools,
): Promise<void> {
  for (const step of steps) {
    onStep?.(step);
    if (step.kind === "file") {
      await writeFile(step.path, step.text);
      continue;
    }
    const [program = "", ...args] = step.command;
    const text = step.command.join(" ");
    const { code, stderr } = await host.run(program, args, { timeout: 30_000 }).catch((cause) => {
      throw new UserError("unsupported", `cannot run ${text}`, {
        hint: `Install ${program}, or set the permission by hand: ${TEMPORARY_FIX}`,
        cause,
      });
    });
    if (code !== 0) {
      throw new UserError("denied", `${text} failed: ${stderr.trim() || `exit code ${code}`}`, {
        hint: `In a container, the host must do this: ${TEMPORARY_FIX}`,
      });
    }
  }
}

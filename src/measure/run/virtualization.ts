// Whether this machine is a guest, and of what. A hypervisor hides sensors and lends a share of a
// host; a container shares the host's sensors but not its processors.

import type { Host } from "../../core/index.ts";
import { listIfPresent, readTextIfPresent } from "../../core/index.ts";

const DMI = "/sys/class/dmi/id";

/** What firmware says of itself under each hypervisor: vendor and product, in one text. */
const HYPERVISORS: readonly (readonly [RegExp, string])[] = [
  [/vmware/i, "vmware"],
  [/virtualbox|innotek/i, "virtualbox"],
  [/microsoft corporation.*virtual machine/i, "hyper-v"],
  [/\bxen\b|hvm domu/i, "xen"],
  [/amazon ec2(?!.*\.metal)/i, "amazon-nitro"],
  [/google compute engine/i, "google-compute-engine"],
  [/parallels/i, "parallels"],
  [/bhyve/i, "bhyve"],
  [/apple virtualization/i, "apple-virtualization"],
  [/openstack|alibaba cloud|digitalocean|hetzner.*vserver|scaleway|\bkvm\b/i, "kvm"],
  [/qemu|bochs/i, "qemu"],
];

/** Containers by what their paths in /proc/self/cgroup look like. */
const CONTAINER_PATHS: readonly (readonly [RegExp, string])[] = [
  [/\/kubepods/, "kubernetes"],
  [/\/docker[-/]/, "docker"],
  [/\/libpod[-_]/, "podman"],
  [/\/lxc[./]/, "lxc"],
  [/\/(cri-)?containerd-/, "containerd"],
];

/** Milliseconds that a helper program may take. */
const TIMEOUT = 2000;

/** Hypervisor and container, such as `kvm + docker`; null on bare metal. */
export async function virtualizationOf(host: Host): Promise<string | null> {
  const found = [await hypervisorOf(host), await containerOf(host)].filter((it) => it !== null);
  return found.length === 0 ? null : found.join(" + ");
}

async function hypervisorOf(host: Host): Promise<string | null> {
  switch (host.platform) {
    case "linux":
      return await linuxHypervisor(host);
    case "darwin": {
      const answer = await outputOf(host, "sysctl", ["-n", "kern.hv_vmm_present"]);
      return answer.trim() === "1" ? "hypervisor" : null;
    }
    case "win32": {
      const bios = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS";
      return hypervisorNamed(await outputOf(host, "reg", ["query", bios]));
    }
    default:
      return null;
  }
}

async function linuxHypervisor(host: Host): Promise<string | null> {
  if (/microsoft/i.test(host.release)) return "wsl";
  const read = async (path: string): Promise<string> =>
    ((await readTextIfPresent(host, path).catch(() => null)) ?? "").replaceAll("\0", "").trim();
  const firmware = `${await read(`${DMI}/sys_vendor`)} ${await read(`${DMI}/product_name`)}`;
  const flagged = /^flags\s*:.*\bhypervisor\b/m.test(await read("/proc/cpuinfo"));
  const paravirtual = await read("/sys/hypervisor/type");
  // Xen's first domain sees the hypervisor from above: it has the machine's sensors.
  if (paravirtual === "xen" && /control_d/.test(await read("/proc/xen/capabilities"))) return null;
  const tree = await read("/proc/device-tree/hypervisor/compatible");
  return (
    hypervisorNamed(firmware) ??
    (paravirtual || null) ??
    (tree === "" ? null : (tree.split(",").at(-1) ?? tree)) ??
    (flagged ? "hypervisor" : null)
  );
}

const hypervisorNamed = (firmware: string): string | null =>
  HYPERVISORS.find(([pattern]) => pattern.test(firmware.replaceAll(/\s+/g, " ")))?.[1] ?? null;

async function outputOf(host: Host, command: string, args: readonly string[]): Promise<string> {
  try {
    return (await host.run(command, args, { timeout: TIMEOUT })).stdout;
  } catch {
    return "";
  }
}

async function containerOf(host: Host): Promise<string | null> {
  if (host.platform !== "linux") return null;
  if (host.env["KUBERNETES_SERVICE_HOST"] !== undefined) return "kubernetes";
  if (host.env["APPTAINER_NAME"] !== undefined) return "apptainer";
  if (host.env["SINGULARITY_NAME"] !== undefined) return "singularity";
  const cgroups = (await readTextIfPresent(host, "/proc/self/cgroup").catch(() => null)) ?? "";
  const named = CONTAINER_PATHS.find(([pattern]) => pattern.test(cgroups))?.[1];
  if (named !== undefined) return named;
  const root: readonly string[] = await listIfPresent(host, "/").catch(() => []);
  if (root.includes(".dockerenv")) return "docker";
  const run: readonly string[] = await listIfPresent(host, "/run").catch(() => []);
  if (run.includes(".containerenv")) return "podman";
  const systemd = await readTextIfPresent(host, "/run/systemd/container").catch(() => null);
  return systemd === null || systemd.trim() === "" ? null : systemd.trim();
}

// The machine on a card: enough to tell machines apart and to choose a model for them, nothing that
// names a person or a network. How each field is found: docs/methods/machine-identity.md.

import type { Machine } from "../../core/card.ts";
import type { Host } from "../../core/index.ts";
import { listIfPresent, readTextIfPresent } from "../../core/index.ts";
import { type CpuIdentity, identifyCpu } from "./cpu-identity.ts";
import { virtualizationOf } from "./virtualization.ts";

const NVIDIA = "/proc/driver/nvidia/gpus";

/** Milliseconds that a helper program may take. */
const TIMEOUT = 2000;

/** Who this machine is. Never rejects: what cannot be found is left out or null. */
export async function identifyMachine(host: Host): Promise<Machine> {
  const cpu = await identifyCpu(host);
  const memoryBytes = await memoryOf(host);
  const secret = await operatingSystemId(host);
  return {
    id: hashed(host, secret ?? hardwareText(host, cpu, memoryBytes)),
    idBasis: secret === null ? "hardware" : "installation",
    platform: host.platform,
    arch: host.arch,
    release: host.release,
    cpu,
    memoryBytes,
    virtualization: await virtualizationOf(host),
    gpus: await nvidiaGpus(host),
  };
}

/**
 * The installation's own id. systemd asks not to show it (machine-id(5)), so that only a hash of it
 * with godwit's name before it leaves this file.
 */
async function operatingSystemId(host: Host): Promise<string | null> {
  const text = await identifierText(host);
  const id = /[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}/i.exec(text)?.[0];
  // Images made for many machines carry an id of zeros, or none.
  return id === undefined || /^[0-]+$/.test(id) ? null : id.replaceAll("-", "").toLowerCase();
}

async function identifierText(host: Host): Promise<string> {
  const programs: Readonly<Record<string, readonly [string, readonly string[]]>> = {
    darwin: ["ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]],
    win32: ["reg", ["query", "HKLM\\SOFTWARE\\Microsoft\\Cryptography", "/v", "MachineGuid"]],
  };
  const program = programs[host.platform];
  if (program !== undefined) {
    const [command, args] = program;
    const { stdout } = await host
      .run(command, args, { timeout: TIMEOUT })
      .catch(() => ({ stdout: "" }));
    return host.platform === "darwin" ? (/"IOPlatformUUID".*/.exec(stdout)?.[0] ?? "") : stdout;
  }
  for (const path of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    const text = await readTextIfPresent(host, path).catch(() => null);
    if (text !== null && text.trim() !== "") return text;
  }
  return "";
}

/** Machines of one kind share this; the card says so by `idBasis`. */
const hardwareText = (host: Host, cpu: CpuIdentity, memoryBytes: number): string =>
  JSON.stringify([host.platform, host.arch, cpu, memoryBytes]);

/** First 64 bits of SHA-256, hexadecimal. */
function hashed(host: Host, text: string): string {
  const digest = host.sha256(new TextEncoder().encode(`godwit machine ${text}`));
  return [...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of memory that the kernel manages. */
async function memoryOf(host: Host): Promise<number> {
  const text = await readTextIfPresent(host, "/proc/meminfo").catch(() => null);
  const kibibytes = Number(/^MemTotal:\s+(\d+) kB$/m.exec(text ?? "")?.[1] ?? Number.NaN);
  // /proc/meminfo writes kB and means KiB (proc(5)).
  return kibibytes > 0 ? kibibytes * 1024 : host.facts.memoryBytes;
}

/** Graphics processors that NVIDIA's kernel driver lists; readable without its library. */
async function nvidiaGpus(host: Host): Promise<Machine["gpus"]> {
  const gpus: Machine["gpus"] = [];
  for (const slot of await listIfPresent(host, NVIDIA).catch(() => [])) {
    const path = `${NVIDIA}/${slot}/information`;
    const text = await readTextIfPresent(host, path).catch(() => null);
    const name = /^Model:\s*(.+)$/m.exec(text ?? "")?.[1]?.trim();
    const uuid = /^GPU UUID:\s*(GPU-[0-9a-f-]+)\s*$/m.exec(text ?? "")?.[1];
    if (name !== undefined) gpus.push(uuid === undefined ? { name } : { name, uuid });
  }
  return gpus;
}

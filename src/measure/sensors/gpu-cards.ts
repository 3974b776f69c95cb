// Graphics cards as the Linux kernel lists them: /sys/class/drm/card*, each with its PCI device and
// the hwmon folders of its driver. Files and units: kernel documentation, "hwmon sysfs interface"
// (energy in microjoules, power in microwatts).

import { type Host, listIfPresent, readTextIfPresent } from "../../core/index.ts";

export interface GpuCard {
  /** `/sys/class/drm/card0/device`. */
  readonly path: string;
  /** `0000:03:00.0`. */
  readonly pciAddress: string;
  /** PCI device id, `0x740f`. */
  readonly deviceId: string;
  /** Folder and driver name of each hwmon. */
  readonly hwmons: readonly { readonly path: string; readonly name: string }[];
}

/** Cards of a PCI vendor (`0x1002`), in order of their PCI address. */
export async function listGpuCards(host: Host, vendor: string): Promise<readonly GpuCard[]> {
  const cards: GpuCard[] = [];
  for (const name of await listIfPresent(host, "/sys/class/drm")) {
    // Connectors (card0-DP-1) and render nodes are listed beside the cards.
    if (!/^card\d+$/.test(name)) continue;
    const path = `/sys/class/drm/${name}/device`;
    if ((await readTextIfPresent(host, `${path}/vendor`))?.trim() !== vendor) continue;
    const folders = await listIfPresent(host, `${path}/hwmon`);
    cards.push({
      path,
      pciAddress: (await host.realPath(path)).split("/").at(-1) ?? name,
      deviceId: (await readTextIfPresent(host, `${path}/device`))?.trim() ?? "",
      hwmons: await Promise.all(
        folders.map(async (folder) => ({
          path: `${path}/hwmon/${folder}`,
          name: (await readTextIfPresent(host, `${path}/hwmon/${folder}/name`))?.trim() ?? "",
        })),
      ),
    });
  }
  return cards.sort((a, b) => (a.pciAddress < b.pciAddress ? -1 : 1));
}

/** A number of a sysfs file times `scale`. Rejects when the file is unreadable or no number. */
export async function readNumber(host: Host, path: string, scale: number): Promise<number> {
  const text = (await host.readText(path)).trim();
  if (!/^-?\d+$/.test(text)) throw new Error(`${path}: "${text.slice(0, 40)}" is not a number`);
  return Number(text) * scale;
}

/** As `readNumber`, but null when the file is absent or says nothing usable. */
export async function readNumberIfAny(
  host: Host,
  path: string,
  scale: number,
): Promise<number | null> {
  try {
    return await readNumber(host, path, scale);
  } catch {
    return null;
  }
}

/** PCI addresses of NVIDIA's GPUs, whatever driver has taken them, if any. */
export async function listNvidiaDevices(host: Host): Promise<readonly string[]> {
  const folder = "/sys/bus/pci/devices";
  const addresses: string[] = [];
  for (const address of await listIfPresent(host, folder).catch(() => [])) {
    const read = (file: string) =>
      readTextIfPresent(host, `${folder}/${address}/${file}`).catch(() => null);
    const [vendor, kind] = [await read("vendor"), await read("class")];
    // PCI class 03: display controllers, to which NVIDIA's compute boards belong too.
    if (vendor?.trim() === "0x10de" && kind?.startsWith("0x03")) addresses.push(address);
  }
  return addresses;
}

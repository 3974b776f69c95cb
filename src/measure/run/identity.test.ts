import { describe, expect, test } from "vitest";
import { createFakeHost, loadMachine } from "../../../test/fake-host.ts";
import { cardSchema } from "../../core/card.ts";
import { cpuOfCpuinfo } from "./cpu-identity.ts";
import { identifyMachine } from "./identity.ts";

const machineSchema = cardSchema.shape.machine;

describe("two sockets with hyper-threads", () => {
  const machine = identifyMachine(loadMachine("server-two-sockets"));

  test("are counted from sysfs: 2 sockets, 4 cores, 8 threads", async () => {
    expect((await machine).cpu).toMatchObject({
      vendor: "GenuineIntel",
      family: 6,
      model: 85,
      stepping: 7,
      sockets: 2,
      cores: 4,
      threads: 8,
    });
  });

  test("are bare metal, with the memory the kernel manages and the graphics processors", async () => {
    expect(await machine).toMatchObject({
      virtualization: null,
      memoryBytes: 394_872_204 * 1024,
      gpus: [{ name: "NVIDIA A100-PCIE-40GB", uuid: "GPU-4f1c6b2a-8c1e-11ee-b9d1-0242ac120002" }],
    });
  });

  test("show neither their name nor their installation's id", async () => {
    const text = JSON.stringify(await machine);
    expect(text).not.toContain("node17");
    expect(text).not.toContain("fedcba98");
    expect(machineSchema.parse(await machine)).toEqual(await machine);
  });
});

test("without sysfs the sockets and cores come from /proc/cpuinfo", async () => {
  const host = loadMachine("server-two-sockets");
  for (const path of host.files.keys()) if (path.startsWith("/sys/")) host.files.delete(path);
  expect((await identifyMachine(host)).cpu).toMatchObject({ sockets: 2, cores: 4, threads: 8 });
});

describe("an ARM guest", () => {
  test("is named by its implementer and part, and has no socket to count", async () => {
    const { cpu } = await identifyMachine(loadMachine("server-arm-neoverse"));
    expect(cpu).toEqual({
      name: "Neoverse-N1",
      vendor: "ARM",
      family: 8,
      model: 0xd0c,
      stepping: 1,
      cores: 2,
      threads: 2,
      implementer: 0x41,
      part: 0xd0c,
      variant: 3,
      revision: 1,
    });
  });

  test("of Amazon is a guest, and the metal instance of the same vendor is not", async () => {
    const guest = loadMachine("server-arm-neoverse");
    expect((await identifyMachine(guest)).virtualization).toBe("amazon-nitro");
    const metal = loadMachine("server-arm-neoverse", {
      files: { "/sys/class/dmi/id/product_name": "c7g.metal\n" },
    });
    expect((await identifyMachine(metal)).virtualization).toBeNull();
  });

  test("with two kinds of cores names both and counts by the more numerous", () => {
    const block = (part: string) =>
      `processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: ${part}\nCPU revision\t: 0\n`;
    const text = [...Array(4).fill(block("0xd05")), ...Array(2).fill(block("0xd41"))].join("\n");
    expect(cpuOfCpuinfo(text)).toMatchObject({
      name: "Cortex-A55 + Cortex-A78",
      part: 0xd05,
      threads: 6,
    });
  });

  test("with a part that is not listed is named by its number, not by a guess", () => {
    const text = "processor\t: 0\nCPU implementer\t: 0x99\nCPU part\t: 0x123\n";
    expect(cpuOfCpuinfo(text).name).toBe("implementer 0x99 part 0x123");
  });
});

describe("guests and containers", () => {
  const virtualization = async (
    files: Record<string, string>,
    env: Record<string, string> = {},
    release = "6.8.0",
  ) => (await identifyMachine(createFakeHost({ files, env, release }))).virtualization;
  const flagged = { "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor sse\n" };

  test("the processor's flag alone says that there is a hypervisor", async () => {
    expect(await virtualization(flagged)).toBe("hypervisor");
  });
  test("firmware names it", async () => {
    const dmi = {
      "/sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
      "/sys/class/dmi/id/product_name": "Virtual Machine\n",
    };
    expect(await virtualization({ ...flagged, ...dmi })).toBe("hyper-v");
    const surface = { ...dmi, "/sys/class/dmi/id/product_name": "Surface Laptop 5\n" };
    expect(await virtualization(surface)).toBeNull();
  });
  test("Xen's first domain has the machine's sensors, others do not", async () => {
    const guest = { ...flagged, "/sys/hypervisor/type": "xen\n" };
    expect(await virtualization(guest)).toBe("xen");
    const first = { ...guest, "/proc/xen/capabilities": "control_d\n" };
    expect(await virtualization(first)).toBeNull();
  });
  test("a device tree tells of KVM on ARM", async () => {
    const tree = { "/proc/device-tree/hypervisor/compatible": "linux,kvm\0" };
    expect(await virtualization(tree)).toBe("kvm");
  });
  test("containers are told from their groups, marks and environment", async () => {
    expect(await virtualization({ "/.dockerenv": "" })).toBe("docker");
    expect(await virtualization({ "/run/.containerenv": "" })).toBe("podman");
    expect(await virtualization({ "/proc/self/cgroup": "0::/docker/0abc\n" })).toBe("docker");
    expect(await virtualization({ "/proc/self/cgroup": "5:cpu:/kubepods/pod1/x\n" })).toBe(
      "kubernetes",
    );
    expect(await virtualization({}, { APPTAINER_NAME: "torch.sif" })).toBe("apptainer");
    expect(await virtualization({ ...flagged, "/.dockerenv": "" })).toBe("hypervisor + docker");
  });
  test("Windows' Linux is a guest", async () => {
    expect(await virtualization({}, {}, "5.15.153.1-microsoft-standard-WSL2")).toBe("wsl");
  });
});

describe("the id", () => {
  const id = async (files: Record<string, string>, hostname = "a") =>
    await identifyMachine(createFakeHost({ files, facts: { hostname } }));

  test("is the same under another host name and another for another installation", async () => {
    const one = await id({ "/etc/machine-id": "0123456789abcdef0123456789abcdef\n" }, "a");
    const renamed = await id({ "/etc/machine-id": "0123456789abcdef0123456789abcdef\n" }, "b");
    const other = await id({ "/etc/machine-id": "1123456789abcdef0123456789abcdef\n" }, "a");
    expect(one.id).toMatch(/^[0-9a-f]{16}$/);
    expect(renamed.id).toBe(one.id);
    expect(other.id).not.toBe(one.id);
  });

  test("goes by the hardware, and says so, where an image has no id of its own", async () => {
    const empty = await id({ "/etc/machine-id": "\n" });
    const zeros = await id({ "/etc/machine-id": "00000000000000000000000000000000\n" });
    expect(empty["idBasis"]).toBe("hardware");
    expect(zeros.id).toBe(empty.id);
  });
});

describe("other systems", () => {
  test("a Mac answers by sysctl and ioreg", async () => {
    const host = loadMachine("mac-m2-max", {
      commands: {
        sysctl: (args) => ({
          stdout: args.includes("kern.hv_vmm_present")
            ? "0\n"
            : "machdep.cpu.brand_string: Apple M2 Max\nhw.packages: 1\nhw.physicalcpu: 12\nhw.logicalcpu: 12\n",
          stderr: "sysctl: unknown oid 'machdep.cpu.vendor'\n",
          code: 1,
        }),
        ioreg: () => ({
          stdout: '    "IOPlatformUUID" = "564D4F8C-0000-1111-2222-333344445555"\n',
        }),
      },
    });
    expect(await identifyMachine(host)).toMatchObject({
      cpu: { name: "Apple M2 Max", vendor: "Apple", sockets: 1, cores: 12, threads: 12 },
      virtualization: null,
      memoryBytes: 32 * 2 ** 30,
      idBasis: "installation",
    });
  });

  test("Windows answers by its environment and registry", async () => {
    const host = loadMachine("win-intel", {
      commands: {
        reg: (args) => ({
          stdout: args.includes("MachineGuid")
            ? "    MachineGuid    REG_SZ    0a1b2c3d-1111-2222-3333-444455556666\r\n"
            : "    SystemManufacturer    REG_SZ    VMware, Inc.\r\n",
        }),
      },
    });
    expect(await identifyMachine(host)).toMatchObject({
      cpu: { vendor: "GenuineIntel", family: 6, model: 183, stepping: 1, threads: 32 },
      virtualization: "vmware",
      idBasis: "installation",
    });
  });

  test("a system with nothing to read is what Node knows of it", async () => {
    expect(await identifyMachine(createFakeHost({ platform: "freebsd" }))).toMatchObject({
      cpu: { name: "Fake CPU", threads: 8 },
      memoryBytes: 16 * 2 ** 30,
      virtualization: null,
      gpus: [],
    });
  });
});

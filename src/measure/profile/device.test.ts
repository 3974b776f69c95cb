import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { netOfOneImage } from "../../../test/net-of-one-image.ts";
import { single } from "../../../test/small-model.ts";
import { loadAccelerators } from "../estimate/accelerators.ts";
import { countModel } from "./count-model.ts";
import { deviceCost, findDevice, loadDevices } from "./device.ts";

const host = createFakeHost({});
const devices = await loadDevices(host);

describe("devices", () => {
  it("are the table whose checksum is kept", () => {
    const folder = new URL("../../../data/devices/", import.meta.url);
    const sum = createHash("sha256")
      .update(readFileSync(new URL("devices.csv", folder)))
      .digest("hex");
    expect(readFileSync(new URL("SHA256SUMS", folder), "utf8")).toBe(`${sum}  devices.csv\n`);
  });

  it("are many, each with figures that can be", () => {
    expect(devices.length).toBeGreaterThanOrEqual(25);
    for (const { name, peak, bandwidth, watts, source } of devices) {
      expect(name).not.toBe("");
      expect(source).not.toBe("");
      expect(peak.half).toBeGreaterThanOrEqual(peak.single);
      // Between 5 and 400 GFLOP for each watt and 0.3 and 9 GB/s, or a digit is wrong.
      expect(peak.single / watts / 1e9).toBeGreaterThan(5);
      expect(peak.single / watts / 1e9).toBeLessThan(450);
      expect(bandwidth / watts / 1e9).toBeGreaterThan(0.3);
      expect(bandwidth / watts / 1e9).toBeLessThan(9);
    }
  });

  it("agree with the accelerators that training is estimated with", async () => {
    for (const { name, peakFlops, watts } of await loadAccelerators(host)) {
      expect(findDevice(devices, name)).toMatchObject({ watts, peak: { half: peakFlops } });
    }
  });

  it("are found by a part of their name", () => {
    expect(findDevice(devices, "h100").name).toBe("H100 80GB HBM3");
    expect(findDevice(devices, "epyc-7763").name).toBe("AMD EPYC 7763");
    expect(() => findDevice(devices, "abacus")).toThrow("no device");
  });
});

describe("a model on a device", () => {
  it("takes the roofline's time and more, node by node", () => {
    const device = findDevice(devices, "A100 SXM4 80GB");
    // 2 x 4096^3 FLOP over 19.5 TFLOP/s; 3 x 64 MiB at 2039 GB/s take less.
    const product = countModel(single("MatMul", { a: [4096, 4096], b: [4096, 4096] }));
    const cost = deviceCost(product, device);
    expect(cost.bound).toBeCloseTo((2 * 4096 ** 3) / 19.5e12, 9);
    expect(cost).toMatchObject({ binding: "compute", bindingShare: 1, precision: "single" });
    expect(cost.time.low).toBeGreaterThan(cost.bound);
    expect(cost.time.method).toBe("estimated");
    const sum = deviceCost(countModel(single("Add", { a: [1 << 20], b: [1 << 20] })), device);
    expect(sum.bound).toBeCloseTo((3 * 4 * 2 ** 20) / 2039e9, 12);
    expect(sum.binding).toBe("memory");
  });

  it("draws at most its rating", () => {
    const cost = deviceCost(countModel(netOfOneImage("vgg-16")), findDevice(devices, "T4"));
    expect(cost.energy.value).toBeCloseTo(cost.time.value * 70 * 0.75, 9);
    expect(cost.energy.low).toBeLessThan(cost.energy.value);
  });

  it("asks for sizes that are open", () => {
    const open = countModel(single("Relu", { x: ["batch", 4] }));
    expect(() => deviceCost(open, findDevice(devices, "T4"))).toThrow("not chosen");
  });
});

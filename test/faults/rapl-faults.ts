// Faults of the counters of a processor and its memory: RAPL by its three roads, hwmon, EMI, IOReport.

import {
  AMD_ENERGY,
  amdEnergy,
  appleSilicon,
  channelsOf,
  DRAM_ZONE,
  energyMeter,
  meters,
  msr,
  packageMicrojoules,
  perf,
  perfStates,
  powercap,
  RANGE_UJ,
  registersOf,
  ZENPOWER,
  ZONE,
  zenpower,
} from "./counter-machines.ts";
import type { Fault, Rig } from "./fault.ts";
import { hostFault } from "./fault.ts";
import { answers, CPU, secondsOf } from "./load.ts";

/** A file that cannot be read from one second of the run to another. */
function failing(
  rig: Rig,
  path: string,
  code: string,
  [from, to]: readonly [number, number],
): void {
  const sound = rig.host.files.get(path) ?? "";
  rig.at(from, () => rig.host.files.set(path, { fault: code }));
  if (Number.isFinite(to)) rig.at(to, () => rig.host.files.set(path, sound));
}

/** The package counter with something done to it from a second of the run on. */
function counter(rig: Rig, from: number, change: (microjoules: number) => number | string): void {
  rig.at(from, () =>
    rig.host.files.set(
      `${ZONE}/energy_uj`,
      () => `${change(packageMicrojoules(secondsOf(rig.host)))}\n`,
    ),
  );
}

export const powercapFaults: readonly Fault[] = [
  {
    name: "RAPL is for root",
    on: powercap,
    inject: ({ host }) => {
      host.files.set(`${ZONE}/energy_uj`, { fault: "EACCES" });
      host.files.set(`${DRAM_ZONE}/energy_uj`, { fault: "EACCES" });
    },
    expect: "wider interval",
    why: "the model answers in its place, says so in every figure and is wider",
  },
  {
    name: "RAPL of the memory alone is for root",
    on: powercap,
    inject: ({ host }) => host.files.set(`${DRAM_ZONE}/energy_uj`, { fault: "EACCES" }),
    expect: "wider interval",
    why: "only the memory is modelled; its figure names what was passed over",
  },
  {
    name: "RAPL becomes unreadable in the middle",
    on: powercap,
    inject: (rig) => failing(rig, `${ZONE}/energy_uj`, "EACCES", [25, Infinity]),
    expect: "gap",
    why: "what is bridged is named and widens the figure",
  },
  {
    name: "RAPL fails for five seconds",
    on: powercap,
    inject: (rig) => failing(rig, `${ZONE}/energy_uj`, "EIO", [30, 35]),
    expect: "gap",
    why: "the counter went on behind the gap, so its energy is known and its course is not",
  },
  {
    name: "the powercap driver is reloaded and counts from zero",
    on: powercap,
    inject: (rig) => {
      failing(rig, `${ZONE}/energy_uj`, "ENODEV", [30, 33]);
      counter(rig, 33, (value) => (value + RANGE_UJ - 1e9) % RANGE_UJ);
    },
    expect: "gap",
    why: "after a device was gone its counter cannot be continued",
  },
  {
    name: "the package counter starts again without a word",
    on: powercap,
    inject: (rig) => counter(rig, 30, (value) => (value + RANGE_UJ - 100e9) % RANGE_UJ),
    expect: "gap",
    why: "a fall that no wrap explains is a reset",
  },
  {
    name: "the package counter stands still",
    on: powercap,
    inject: (rig) => {
      let held: string | null = null;
      counter(rig, 25, (value) => (held ??= String(value)));
    },
    expect: "gap",
    why: "a processor that runs this uses energy, so the counter has stalled",
  },
  {
    name: "the package counter stands still from the start",
    on: powercap,
    inject: ({ host }) => host.files.set(`${ZONE}/energy_uj`, "123456789\n"),
    expect: "notice",
    why: "no figure and the reason, never 0 J",
  },
  {
    name: "the package counter leaps by a megajoule",
    on: powercap,
    inject: (rig) => {
      rig.host.files.delete(`${ZONE}/constraint_0_power_limit_uw`);
      rig.host.files.set(`${ZONE}/max_energy_range_uj`, "65532610987654321\n");
      const begun = CPU(1);
      rig.host.files.set(
        `${ZONE}/energy_uj`,
        () => `${Math.floor((CPU(secondsOf(rig.host)) - begun) * 1e6) + 5e9}\n`,
      );
      rig.at(30, () =>
        rig.host.files.set(
          `${ZONE}/energy_uj`,
          () => `${Math.floor((CPU(secondsOf(rig.host)) - begun) * 1e6) + 5e9 + 1e12}\n`,
        ),
      );
    },
    expect: "gap",
    why: "more than any node can draw is no measurement, even where no limit is stated",
  },
  {
    name: "the package counter answers garbage",
    on: powercap,
    inject: (rig) => counter(rig, 25, () => "<unknown>"),
    expect: "gap",
    why: "text that is no number is a fault of reading, not zero",
  },
  {
    name: "the package counter answers nothing",
    on: powercap,
    inject: (rig) => counter(rig, 25, () => ""),
    expect: "gap",
    why: "an empty file would become the number zero",
  },
  {
    name: "the package counter answers a negative number",
    on: powercap,
    inject: (rig) => counter(rig, 25, (value) => -value),
    expect: "gap",
    why: "a signed overflow of a driver is not energy",
  },
  {
    name: "the counter's range cannot be read",
    on: powercap,
    inject: ({ host }) => host.files.set(`${ZONE}/max_energy_range_uj`, { fault: "EACCES" }),
    expect: "gap",
    why: "where a wrap cannot be reckoned it shows as a fall",
  },
  {
    name: "the zone loses its name",
    on: powercap,
    inject: ({ host }) => host.files.set(`${ZONE}/name`, "\n"),
    expect: "wider interval",
    why: "a zone that does not say what it counts is not guessed at",
  },
  {
    name: "powercap hangs",
    on: powercap,
    inject: ({ host, at }) => {
      const read = host.readText;
      at(25, () => {
        host.readText = (path) =>
          path.startsWith(ZONE) ? new Promise(() => {}) : read.call(host, path);
      });
    },
    expect: "gap",
    why: "a sensor that hangs costs its own gap and delays nobody",
  },
  {
    name: "both powercap links point to one zone",
    on: powercap,
    inject: ({ host }) => {
      const twin = "/sys/class/powercap/intel-rapl-mmio:0";
      for (const file of ["name", "max_energy_range_uj", "energy_uj"]) {
        host.files.set(`${twin}/${file}`, { link: `${ZONE}/${file}` });
      }
      // The twin is another way to one counter; should it be counted too, this would show.
      host.files.set(`${DRAM_ZONE}/energy_uj`, { fault: "EACCES" });
    },
    expect: "wider interval",
    why: "one counter that is seen twice is counted once; the memory is modelled",
  },
  {
    name: "the powercap tree is a loop of links",
    on: powercap,
    inject: ({ host }) => {
      host.files.set(`${ZONE}/energy_uj`, { link: `${ZONE}/again` });
      host.files.set(`${ZONE}/again`, { link: `${ZONE}/energy_uj` });
    },
    expect: "wider interval",
    why: "what cannot be followed is passed over by name",
  },
];

export const otherCounterFaults: readonly Fault[] = [
  {
    name: "perf events stop answering",
    on: perf,
    inject: ({ host, at }) => {
      at(25, () => delete perfStates.get(host)?.counts["2@0"]);
    },
    expect: "gap",
    why: "a read of fewer than eight bytes is a fault",
  },
  {
    name: "perf events of one socket do not open",
    on: perf,
    inject: ({ host }) => {
      for (const key of ["2@1", "3@1"]) delete perfStates.get(host)?.counts[key];
    },
    expect: "notice",
    why: "half of the machine would be missing from the figure",
  },
  {
    name: "the scale of a perf event is garbage",
    on: perf,
    inject: ({ host }) => {
      host.files.set("/sys/bus/event_source/devices/power/events/energy-pkg.scale", "many\n");
    },
    expect: "notice",
    why: "without its unit a counter is not read, and the processor is said to be missing",
  },
  {
    name: "a perf counter starts again",
    on: perf,
    inject: ({ host, at }) => {
      const counts = perfStates.get(host)?.counts;
      at(30, () => {
        const begun = CPU(secondsOf(host));
        const joules = (s: number): number => (CPU(s) - begun) / 2;
        if (counts !== undefined) {
          counts["2@0"] = (s) => BigInt(Math.floor(joules(s) * 2 ** 20)) << 12n;
        }
      });
    },
    expect: "gap",
    why: "64-bit counters do not wrap, so a fall is a reset",
  },
  {
    name: "the register of the package faults",
    on: msr,
    inject: ({ host, at }) => at(25, () => void registersOf.get(host)?.delete(0x611)),
    expect: "gap",
    why: "a register that faults is not zero",
  },
  {
    name: "the register of the package reads zero",
    on: msr,
    inject: ({ host, at }) => at(25, () => void registersOf.get(host)?.set(0x611, () => 0n)),
    expect: "gap",
    why: "a register that went to zero was reset, and one that stays there has stalled",
  },
  {
    name: "the registers are locked away",
    on: msr,
    inject: ({ host }) => {
      host.openFile = () => Promise.reject(hostFault("EPERM"));
    },
    expect: "wider interval",
    why: "kernel lockdown leaves the model",
  },
  {
    name: "a socket counter of amd_energy vanishes",
    on: amdEnergy,
    inject: ({ host, at }) => {
      at(25, () => void host.files.delete(`${AMD_ENERGY}/energy3_input`));
    },
    expect: "gap",
    why: "the driver was unloaded; what the other socket counts goes on",
  },
  {
    name: "amd_energy is for root",
    on: amdEnergy,
    inject: ({ host }) => {
      for (const n of [3, 4]) host.files.set(`${AMD_ENERGY}/energy${n}_input`, { fault: "EACCES" });
    },
    expect: "notice",
    why: "nothing is measured, and that is what the card says",
  },
  {
    name: "the processor's power sensor falls to zero",
    on: zenpower,
    inject: ({ host, at }) => at(25, () => void host.files.set(`${ZENPOWER}/power1_input`, "0\n")),
    expect: "gap",
    why: "a processor that runs this draws power",
  },
  {
    name: "the processor's power sensor spikes",
    on: zenpower,
    inject: ({ host, at }) => {
      const path = `${ZENPOWER}/power1_input`;
      const sound = host.files.get(path) ?? "";
      at(30, () => void host.files.set(path, "4294967295000000\n"));
      at(31.5, () => void host.files.set(path, sound));
    },
    expect: "gap",
    why: "more than any node can draw is a glitch of the bus",
  },
  {
    name: "the energy meter of Windows is refused",
    on: energyMeter,
    inject: ({ host }) => answers(meters.get(host) ?? {}, "refuses", () => 5),
    expect: "notice",
    why: "nothing is measured, and that is what the card says",
  },
  {
    name: "the energy meter of Windows stops being updated",
    on: energyMeter,
    inject: ({ host, at }) => {
      const device = meters.get(host);
      at(25, () => {
        if (device === undefined) return;
        const [energies, time] = [device.energies, device.time];
        answers(device, "energies", () => energies);
        answers(device, "time", () => time);
      });
    },
    expect: "gap",
    why: "its own time stamp tells that nothing new is there",
  },
  {
    name: "the energy meter of Windows is cut short",
    on: energyMeter,
    inject: ({ host, at }) => {
      at(25, () => answers(meters.get(host) ?? {}, "energies", () => []));
    },
    expect: "gap",
    why: "fewer bytes than channels are a fault",
  },
  {
    name: "the energy meter of Windows counts in another unit",
    on: energyMeter,
    inject: ({ host }) => {
      const device = meters.get(host);
      if (device !== undefined) device.metadata[68] = 1;
    },
    expect: "notice",
    why: "a unit that is not known is not guessed at",
  },
  {
    name: "IOReport stands still while the machine works",
    on: appleSilicon,
    inject: ({ host, at }) => {
      at(25, () => {
        for (const channel of Object.values(channelsOf.get(host) ?? {})) {
          const { count } = channel;
          answers(channel, "count", () => count);
        }
      });
    },
    expect: "gap",
    why: "seen on macOS 27; a stall is not 0 J",
  },
  {
    name: "an IOReport channel is no counter any more",
    on: appleSilicon,
    inject: ({ host, at }) => {
      at(25, () => answers(channelsOf.get(host)?.cpu ?? {}, "count", () => -(2n ** 63n)));
    },
    expect: "gap",
    why: "the least integer is how the library says no",
  },
  {
    name: "an IOReport channel has a unit that is not known",
    on: appleSilicon,
    inject: ({ host }) => answers(channelsOf.get(host)?.cpu ?? {}, "unit", () => "pJ"),
    expect: "notice",
    why: "a guess could be wrong a millionfold",
  },
  {
    name: "no native library can be called",
    on: appleSilicon,
    inject: ({ host }) => {
      host.ffi = async () => null;
    },
    expect: "notice",
    why: "nothing is measured, and that is what the card says",
  },
];

// Faults of what measures a whole machine or a GPU: batteries, meters, management controllers, drivers.

import { type Fault, hostFault, type Rig } from "./fault.ts";
import { answers, GPU, secondsOf, WALL } from "./load.ts";
import {
  ACPI,
  acpi,
  BATTERY,
  batteryLeft,
  batteryPower,
  controllers,
  dcmi,
  gpuCounter,
  gpuPower,
  gpuProgram,
  gpus,
  logged,
  MAINS,
  METER_FILE,
  managed,
  plugged,
  redfishServer,
  said,
  services,
  smiRow,
} from "./meter-machines.ts";

/** From a second of the run on, the controller answers this. */
const controllerSays = (
  { host, at }: Rig,
  from: number,
  answer: { stdout?: string; stderr?: string; code?: number },
): void =>
  at(from, () => {
    const controller = controllers.get(host);
    if (controller !== undefined) controller.answer = () => answer;
  });

/** From a second of the run on, the service answers this; a rejection when it throws. */
const serviceSays = (
  { host, at }: Rig,
  from: number,
  answer: () => ReturnType<typeof said>,
): void =>
  at(from, () => {
    const service = services.get(host);
    if (service !== undefined) service.answer = answer;
  });

export const machineFaults: readonly Fault[] = [
  {
    name: "the laptop is plugged in for fifteen seconds",
    on: batteryPower,
    inject: ({ host, at }) => {
      at(25, () => void host.files.set(MAINS, "1\n"));
      at(40, () => void host.files.set(MAINS, "0\n"));
    },
    expect: "gap",
    why: "on mains the gauge says how fast the battery charges",
  },
  {
    name: "the laptop runs on mains while its battery only says what is left",
    on: batteryLeft,
    inject: ({ host, at }) => {
      const left = `${BATTERY}/energy_now`;
      const wattHours = (s: number): number => 42e6 - WALL(s) / 3600e-6;
      at(25, () => {
        const held = wattHours(secondsOf(host));
        host.files.set(MAINS, "1\n");
        host.files.set(left, `${Math.round(held)}\n`);
      });
      at(45, () => {
        const missed = wattHours(26) - wattHours(secondsOf(host));
        host.files.set(MAINS, "0\n");
        host.files.set(left, () => `${Math.round(wattHours(secondsOf(host)) + missed)}\n`);
      });
    },
    expect: "gap",
    why: "the battery gave nothing meanwhile, and the machine took its energy from elsewhere",
  },
  {
    name: "the battery's gauge reads zero while it discharges",
    on: batteryPower,
    inject: ({ host, at }) => at(25, () => void host.files.set(`${BATTERY}/power_now`, "0\n")),
    expect: "gap",
    why: "a machine that runs draws power",
  },
  {
    name: "the battery is of unknown status",
    on: batteryPower,
    inject: ({ host, at }) => at(25, () => void host.files.set(`${BATTERY}/status`, "Unknown\n")),
    expect: "gap",
    why: "which way the energy flows is not known",
  },
  {
    name: "the chassis meter goes away",
    on: acpi,
    inject: ({ host, at }) => at(25, () => void host.files.delete(ACPI)),
    expect: "gap",
    why: "what was not read is bridged and named",
  },
  {
    name: "the chassis meter reads zero from the start",
    on: acpi,
    inject: ({ host }) => void host.files.set(ACPI, "0\n"),
    expect: "notice",
    why: "nothing is measured, and that is what the card says",
  },
  {
    name: "the management controller stops answering",
    on: managed,
    inject: (rig) => controllerSays(rig, 25, { stderr: "Unable to open", code: 1 }),
    expect: "gap",
    why: "an error of the tool is not a power",
  },
  {
    name: "the management controller offers 0 W",
    on: managed,
    inject: (rig) => controllerSays(rig, 25, { stdout: dcmi("0 Watts") }),
    expect: "gap",
    why: "many offer the reading and do not fill it in",
  },
  {
    name: "the management controller answers in milliwatts",
    on: managed,
    inject: (rig) => controllerSays(rig, 25, { stdout: dcmi("60000 Milliwatts") }),
    expect: "gap",
    why: "the unit is read, not assumed",
  },
  {
    name: "the management controller's measurement is switched off",
    on: managed,
    inject: (rig) => controllerSays(rig, 25, { stdout: dcmi("60 Watts", "deactivated") }),
    expect: "gap",
    why: "the number that stands there is an old one",
  },
  {
    name: "ipmitool hangs",
    on: managed,
    inject: ({ host, at }) => {
      at(25, () => {
        // As the real host: killed at its deadline.
        host.run = (command, _args, { timeout }) =>
          new Promise((_, reject) => {
            host.alarm(timeout, () => reject(new Error(`${command} did not answer`)));
          });
      });
    },
    expect: "gap",
    why: "a tool that hangs is ended, and costs its own gap",
  },
  {
    name: "Redfish is not reachable any more",
    on: redfishServer,
    inject: (rig) =>
      serviceSays(rig, 25, () => {
        throw hostFault("ECONNRESET");
      }),
    expect: "gap",
    why: "what was not read is bridged and named",
  },
  {
    name: "Redfish asks for a log-in in the middle",
    on: redfishServer,
    inject: (rig) => serviceSays(rig, 25, () => said("{}", 401)),
    expect: "gap",
    why: "a refusal is not a power",
  },
  {
    name: "Redfish answers with truncated JSON",
    on: redfishServer,
    inject: (rig) => serviceSays(rig, 25, () => said('{"PowerWatts": {"Reading": 6')),
    expect: "gap",
    why: "half of an answer could be half of a number",
  },
  {
    name: "Redfish answers null",
    on: redfishServer,
    inject: (rig) => serviceSays(rig, 25, () => said({ PowerWatts: { Reading: null } })),
    expect: "gap",
    why: "null is how Redfish says that it does not know",
  },
  {
    name: "Redfish answers with two megabytes",
    on: redfishServer,
    inject: (rig) => serviceSays(rig, 25, () => said(`"${"x".repeat(2e6)}"`)),
    expect: "gap",
    why: "no resource is that long; it is not parsed",
  },
  {
    name: "the plug is unplugged from the network",
    on: plugged,
    inject: (rig) =>
      serviceSays(rig, 25, () => {
        throw hostFault("EHOSTUNREACH");
      }),
    expect: "gap",
    why: "what was not read is bridged and named",
  },
  {
    name: "the plug answers with a web page",
    on: plugged,
    inject: (rig) => serviceSays(rig, 25, () => said("<html><body>Sign in</body></html>")),
    expect: "gap",
    why: "a captive portal is not a meter",
  },
  {
    name: "the plug answers with a redirection",
    on: plugged,
    inject: (rig) => serviceSays(rig, 25, () => said("", 302)),
    expect: "gap",
    why: "an answer without a power is none",
  },
  {
    name: "the plug answers in milliwatts from the start",
    on: plugged,
    inject: (rig) => {
      const service = services.get(rig.host);
      if (service === undefined) return;
      service.answer = () => said({ apower: 1000 * 62 });
    },
    expect: "notice",
    why: "62 kW is a wrong unit or another meter: more than a node draws, a thousand times the processor inside",
  },
  {
    name: "the plug answers in kilowatts from the start",
    on: plugged,
    inject: (rig) => {
      const service = services.get(rig.host);
      if (service === undefined) return;
      service.answer = () => said({ apower: 0.75 });
    },
    expect: "notice",
    why: "the wall cannot give less than the processor alone takes",
  },
  {
    name: "the plug feeds another machine",
    on: plugged,
    inject: (rig) => {
      const service = services.get(rig.host);
      if (service !== undefined) service.answer = () => said({ apower: 6 });
    },
    expect: "notice",
    why: "the wall cannot give less than the processor alone takes",
  },
  {
    name: "the plug is not there when the run starts",
    on: plugged,
    inject: (rig) => {
      const service = services.get(rig.host);
      if (service === undefined) return;
      service.answer = () => {
        throw hostFault("ECONNREFUSED");
      };
    },
    expect: "notice",
    why: "the counters inside answer, and what was asked for is said to be missing",
  },
  {
    name: "the meter's logger stops",
    on: logged,
    inject: ({ host, at }) => {
      const path = METER_FILE;
      at(25, () => {
        const last = `${Math.floor(host.wall() / 1000)},60.0\n`;
        host.files.set(path, last);
      });
    },
    expect: "gap",
    why: "a line that is old does not stand for now",
  },
  {
    name: "the meter's logger goes to summer time",
    on: logged,
    inject: ({ host, at }) => {
      const line = (hours: number) => () => {
        const local = new Date(Math.floor(host.wall() / 1000 + hours * 3600) * 1000);
        return `${local.toISOString().slice(0, 19)},${secondsOf(host) > 21 && secondsOf(host) < 41 ? 95 : 60}\n`;
      };
      host.files.set(METER_FILE, line(1));
      at(30, () => void host.files.set(METER_FILE, line(2)));
    },
    expect: "gap",
    why: "the zone of its times was fixed at the first line; an hour ahead is not now",
  },
  {
    name: "the meter's last line is torn",
    on: logged,
    inject: ({ host, at }) => {
      at(25, () => void host.files.set(METER_FILE, `${Math.floor(host.wall() / 1000)},9`));
    },
    expect: "gap",
    why: "9 could be the beginning of 95",
  },
  {
    name: "the meter's file is cut to nothing",
    on: logged,
    inject: ({ host, at }) => at(25, () => void host.files.set(METER_FILE, "")),
    expect: "gap",
    why: "an empty log holds no power",
  },
];

export const gpuFaults: readonly Fault[] = [
  {
    name: "the GPU falls off the bus",
    on: gpuCounter,
    inject: ({ host, at }) => {
      at(30, () => answers(gpus.get(host) ?? {}, "lost", () => 15));
    },
    expect: "gap",
    why: "NVML_ERROR_GPU_IS_LOST is not 0 W",
  },
  {
    name: "the GPU's energy counter glitches low once",
    on: gpuCounter,
    inject: ({ host, at }) => {
      const gpu = gpus.get(host) ?? {};
      const sound = Object.getOwnPropertyDescriptor(gpu, "energy");
      at(30, () => answers(gpu, "energy", () => 17));
      at(31.5, () => void Object.defineProperty(gpu, "energy", sound ?? {}));
    },
    expect: "gap",
    why: "one low reading is a glitch; the counter went on behind it",
  },
  {
    name: "the GPU is reset",
    on: gpuCounter,
    inject: ({ host, at }) => {
      at(30, () => {
        const begun = GPU(secondsOf(host));
        const millijoules = (): number => Math.round((GPU(secondsOf(host)) - begun) * 1000);
        answers(gpus.get(host) ?? {}, "energy", millijoules);
      });
    },
    expect: "gap",
    why: "the counter began again at zero",
  },
  {
    name: "the GPU's energy counter stands at zero",
    on: gpuCounter,
    inject: ({ host }) => answers(gpus.get(host) ?? {}, "energy", () => 0),
    expect: "notice",
    why: "a board under power never stands at zero; nothing else tells its power",
  },
  {
    name: "the GPU's energy counter leaps",
    on: gpuCounter,
    inject: ({ host, at }) => {
      const gpu = gpus.get(host);
      const sound = gpu === undefined ? undefined : Object.getOwnPropertyDescriptor(gpu, "energy");
      at(30, () => answers(gpu ?? {}, "energy", () => Number(sound?.get?.call(gpu)) + 2 ** 32));
    },
    expect: "gap",
    why: "four megajoules in a second are beyond the board's limit",
  },
  {
    name: "the GPU's driver does not match its library",
    on: gpuCounter,
    inject: ({ host }) => {
      const sound = host.ffi;
      host.ffi = async () => {
        const ffi = await sound.call(host);
        if (ffi === null) return null;
        const mismatch = (prototype: string) => prototype.includes("nvmlInit");
        return {
          open(names) {
            const { bind, bindSlow } = ffi.open(names);
            return {
              bind: (prototype) => (mismatch(prototype) ? () => 18 : bind(prototype)),
              bindSlow: (prototype) => (mismatch(prototype) ? async () => 18 : bindSlow(prototype)),
            };
          },
        };
      };
    },
    expect: "notice",
    why: "nothing is measured, and that is what the card says",
  },
  {
    name: "the GPU's power falls to zero",
    on: gpuPower,
    inject: ({ host, at }) => at(25, () => answers(gpus.get(host) ?? {}, "power", () => 0)),
    expect: "gap",
    why: "a board under power never draws nothing",
  },
  {
    name: "the GPU's power is an unsigned minus one",
    on: gpuPower,
    inject: ({ host, at }) => {
      const gpu = gpus.get(host) ?? {};
      const sound = Object.getOwnPropertyDescriptor(gpu, "power");
      at(30, () => answers(gpu, "power", () => 4_294_967_295));
      at(31.5, () => void Object.defineProperty(gpu, "power", sound ?? {}));
    },
    expect: "gap",
    why: "4.3 MW are beyond the board's limit",
  },
  {
    name: "nvidia-smi answers [N/A]",
    on: gpuProgram,
    inject: (rig) => controllerSays(rig, 25, { stdout: smiRow("[N/A]") }),
    expect: "gap",
    why: "not available is not 0 W",
  },
  {
    name: "nvidia-smi fails",
    on: gpuProgram,
    inject: (rig) =>
      controllerSays(rig, 25, {
        stdout: "Failed to initialize NVML: Driver/library version mismatch\n",
        code: 18,
      }),
    expect: "gap",
    why: "an error on standard output is not a row",
  },
  {
    name: "nvidia-smi lists another GPU",
    on: gpuProgram,
    inject: (rig) => controllerSays(rig, 25, { stdout: "0, GPU-2, NVIDIA L4, 33.00, 33.00\n" }),
    expect: "gap",
    why: "boards are known by their UUID, not by their place in the list",
  },
];

// Faults of what people set: options, environment variables, the system's time zone.

import { parseDuration, parseEnergy, parseIntensity, parseNumber } from "../../src/cli/values.ts";
import { reasonOf } from "../../src/core/index.ts";
import { locate, pueOf } from "../../src/measure/carbon/index.ts";
import { parseFacts } from "../../src/measure/run/facts.ts";
import { powercap } from "./counter-machines.ts";
import type { Fault, Rig } from "./fault.ts";
import { gpuCounter, logged, plugged, redfishServer } from "./meter-machines.ts";

/** The value is read as the command line reads it. */
const option =
  (read: () => unknown) =>
  (rig: Rig): void => {
    rig.prepare = async () => {
      read();
      return {};
    };
  };

/** The run's signal is looked for as the command line does. */
const located =
  (options: Parameters<typeof locate>[1], facts: { readonly timeZone?: string } = {}) =>
  (rig: Rig): void => {
    rig.prepare = async () => ({
      signal: await locate({ ...rig.host, facts: { ...rig.host.facts, ...facts } }, options),
    });
  };

/** An environment variable is set to something else. */
const environment =
  (name: string, value: string) =>
  ({ host }: Rig): void => {
    Object.assign(host.env, { [name]: value });
  };

export const configurationFaults: readonly Fault[] = [
  {
    name: "the location does not exist",
    on: powercap,
    inject: located({ location: "Atlantis" }),
    expect: "refused",
    why: "a country is never invented",
  },
  {
    name: "the location is ambiguous garbage",
    on: powercap,
    inject: located({ location: "../../etc/passwd" }),
    expect: "refused",
    why: "a name is looked up in a table and nowhere else",
  },
  {
    name: "the time zone names no country",
    on: powercap,
    inject: located({}, { timeZone: "UTC" }),
    expect: "wider interval",
    why: "the world's mean with the interval of anywhere",
  },
  {
    name: "the time zone is unknown",
    on: powercap,
    inject: located({}, { timeZone: "Mars/Olympus_Mons" }),
    expect: "wider interval",
    why: "the world's mean with the interval of anywhere",
  },
  {
    name: "the cloud's region is in no table",
    on: powercap,
    inject: (rig) => {
      environment("AWS_REGION", "mars-north-1")(rig);
      environment("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")(rig);
      located({}, { timeZone: "Etc/UTC" })(rig);
    },
    expect: "wider interval",
    why: "what the region is not known to be is not taken from another",
  },
  {
    name: "the intensity is in kilograms",
    on: powercap,
    inject: (rig) => located({ intensity: parseIntensity("--intensity", "0.36") })(rig),
    expect: "refused",
    why: "0.36 g/kWh is cleaner than any grid",
  },
  {
    name: "the intensity says that it is in kilograms",
    on: powercap,
    inject: option(() => parseIntensity("--intensity", "0.36kg/kWh")),
    expect: "refused",
    why: "the hint gives the grams",
  },
  {
    name: "the intensity is negative",
    on: powercap,
    inject: located({ intensity: -360 }),
    expect: "refused",
    why: "certificates do not make a grid's intensity negative",
  },
  {
    name: "the intensity is not a number",
    on: powercap,
    inject: located({ intensity: Number.NaN }),
    expect: "refused",
    why: "NaN would go through every product",
  },
  {
    name: "the PUE is below one",
    on: powercap,
    inject: option(() => pueOf({ declared: 0.9, personal: false })),
    expect: "refused",
    why: "a facility uses what its machines use",
  },
  {
    name: "the PUE is a percentage",
    on: powercap,
    inject: option(() => pueOf({ declared: parseNumber("GODWIT_PUE", "158"), personal: false })),
    expect: "refused",
    why: "158 is 1.58 with another unit",
  },
  {
    name: "the PUE is a word",
    on: powercap,
    inject: option(() => parseNumber("GODWIT_PUE", "low")),
    expect: "refused",
    why: "a value that cannot be read is not passed over",
  },
  {
    name: "the interval is negative",
    on: powercap,
    inject: option(() => parseDuration("--interval", "-5s")),
    expect: "refused",
    why: "a duration is above zero",
  },
  {
    name: "the interval has an unknown unit",
    on: powercap,
    inject: option(() => parseDuration("--interval", "5 fortnights")),
    expect: "refused",
    why: "a unit that is not known is not guessed at",
  },
  {
    name: "the budget has no unit",
    on: powercap,
    inject: option(() => parseEnergy("--max-energy", "2")),
    expect: "refused",
    why: "2 J and 2 kWh are seven orders of magnitude apart",
  },
  {
    name: "the budget has lost its capital",
    on: powercap,
    inject: option(() => parseEnergy("--max-energy", "2mwh")),
    expect: "refused",
    why: "mWh and MWh are nine orders of magnitude apart",
  },
  {
    name: "the meter is a folder",
    on: logged,
    inject: (rig) => {
      environment("GODWIT_METER", "/var/log")(rig);
    },
    expect: "notice",
    why: "the meter that was asked for is said to be missing",
  },
  {
    name: "the meter is an address of another kind",
    on: plugged,
    inject: environment("GODWIT_METER", "mqtt://plug.example/power"),
    expect: "notice",
    why: "the counters inside answer, and what was asked for is said to be missing",
  },
  {
    name: "the controller's address holds a password",
    on: redfishServer,
    inject: environment("GODWIT_REDFISH_URL", "https://root:secret@bmc.example"),
    expect: "notice",
    why: "an address is seen by every process, so it is not used",
  },
  {
    name: "the controller's password cannot be read",
    on: redfishServer,
    inject: (rig) => {
      environment("GODWIT_REDFISH_USER", "reader")(rig);
      environment("GODWIT_REDFISH_PASSWORD_FILE", "/run/secrets/none")(rig);
    },
    expect: "notice",
    why: "without its password the controller is not asked",
  },
  {
    name: "CUDA_VISIBLE_DEVICES names a GPU that is not there",
    on: gpuCounter,
    inject: environment("CUDA_VISIBLE_DEVICES", "GPU-deadbeef"),
    expect: "notice",
    why: "no GPU can be used, so none is counted, and nothing else is measured here",
  },
  {
    name: "what the command says of itself is garbage",
    on: powercap,
    inject: (rig) => {
      rig.finish = (meter) => {
        try {
          parseFacts('{"quality": {"metric": "accuracy", "value": "97.5 %"}}');
        } catch (error) {
          meter.note(reasonOf(error));
        }
        return meter.stop();
      };
    },
    expect: "notice",
    why: "the energy is right, and the quality is absent with its reason",
  },
];

// Faults of the two clocks: the wall clock, which people set, and the monotonic one, which should know better.

import { packageMicrojoules, powercap, RANGE_UJ, ZONE } from "./counter-machines.ts";
import type { Fault, Rig } from "./fault.ts";
import { secondsOf } from "./load.ts";
import { acpi, logged } from "./meter-machines.ts";

const HOUR = 3_600_000;

/** The wall clock runs off by so many milliseconds at a second of the run. */
const jump =
  (second: number, milliseconds: number) =>
  ({ host, at }: Rig): void =>
    at(second, () => host.jumpWall(milliseconds));

export const clockFaults: readonly Fault[] = [
  {
    name: "the machine sleeps for an hour",
    on: powercap,
    inject: jump(30, HOUR),
    expect: "gap",
    why: "the monotonic clock stood still; what counters did meanwhile is not the run's",
  },
  {
    name: "the machine hibernates and its counters start again",
    on: powercap,
    inject: (rig) => {
      jump(30, 8 * HOUR)(rig);
      rig.at(30, () =>
        rig.host.files.set(
          `${ZONE}/energy_uj`,
          () => `${(packageMicrojoules(secondsOf(rig.host)) + RANGE_UJ - 2e9) % RANGE_UJ}\n`,
        ),
      );
    },
    expect: "gap",
    why: "nothing is counted across a sleep, so the reset does not matter",
  },
  {
    name: "the clock is set back by an hour",
    on: powercap,
    inject: jump(30, -HOUR),
    expect: "gap",
    why: "durations follow the monotonic clock; that the clocks parted is said",
  },
  {
    name: "the clock leaps two years ahead, as at a first time signal",
    on: powercap,
    inject: jump(10, 2 * 365 * 24 * HOUR),
    expect: "notice",
    why: "durations follow the monotonic clock; that the clocks parted is said",
  },
  {
    name: "the clock is wound back and forth",
    on: powercap,
    inject: (rig) => {
      jump(20, -HOUR)(rig);
      jump(30, HOUR)(rig);
      jump(40, -2 * HOUR)(rig);
    },
    expect: "gap",
    why: "each time the window is split",
  },
  {
    name: "the wall clock stands still",
    on: powercap,
    inject: ({ host }) => {
      const held = host.wall();
      host.wall = () => held;
    },
    expect: "notice",
    why: "figures follow the monotonic clock; the times of day on the card are doubtful",
  },
  {
    name: "the wall clock runs at half its speed",
    on: powercap,
    inject: ({ host }) => {
      const [wall, zero] = [host.wall, host.wall()];
      host.wall = () => zero + (wall.call(host) - zero) / 2;
    },
    expect: "notice",
    why: "each step is too small to see; their sum is not",
  },
  {
    name: "the monotonic clock stands still for ten seconds",
    on: powercap,
    inject: ({ host, at }) => {
      const { monotonic } = host;
      at(30, () => {
        const held = monotonic.call(host);
        host.monotonic = () => held;
      });
      at(40, () => {
        const lost = monotonic.call(host) - host.monotonic();
        host.monotonic = () => monotonic.call(host) - lost;
      });
    },
    expect: "gap",
    why: "as after a sleep: the wall clock went on",
  },
  {
    name: "the monotonic clock runs back by five seconds",
    on: powercap,
    inject: ({ host, at }) => {
      const { monotonic } = host;
      at(30, () => {
        host.monotonic = () => monotonic.call(host) - 5_000_000_000n;
      });
    },
    expect: "gap",
    why: "no system should do it; the clocks part, and that splits the window",
  },
  {
    name: "the process is stopped for twenty seconds while a meter tells power",
    on: acpi,
    inject: ({ host, at }) => at(10, () => host.advance(20_000)),
    expect: "gap",
    why: "power that was not read is not known",
  },
  {
    name: "the process is stopped for twenty seconds while a counter counts",
    on: powercap,
    inject: ({ host, at }) => at(10, () => host.advance(20_000)),
    expect: "unharmed",
    why: "a counter goes on by itself",
  },
  {
    name: "the process is stopped for three hours, in which the counter may wrap",
    on: powercap,
    inject: ({ host, at }) => at(10, () => host.advance(3 * HOUR)),
    expect: "gap",
    why: "at the package's limit it could have wrapped more than once",
  },
  {
    name: "the machine's clock is at 1970 while a meter writes real times",
    on: logged,
    inject: ({ host }) => {
      const { wall } = host;
      const file = host.files.get("/var/log/meter.csv");
      const zero = wall.call(host);
      host.wall = () => wall.call(host) - zero;
      host.files.set("/var/log/meter.csv", () => {
        const now = host.wall;
        host.wall = wall;
        const text = typeof file === "function" ? file() : "";
        host.wall = now;
        return text;
      });
    },
    expect: "notice",
    why: "the meter's samples are of the future: none stands for now",
  },
];

// Apple's `powermetrics`, which needs root: used only where sudo already allows it without a
// password, as `sudo -n -l` tells, and never asked for. It is the rung below IOReport, and on
// Intel Macs the only one.

import type { Host } from "../../core/index.ts";
import { reasonOf } from "../../core/index.ts";
import { believable, quoted } from "./machine-power.ts";
import type { Domain, Probe, Sensor, SensorProvider } from "./sensor.ts";

const PROGRAM = "/usr/bin/powermetrics";

/** Milliseconds that one sample averages over. */
const WINDOW = 500;

/** Milliseconds; the tool needs about half a second beside its window. */
const TIMEOUT = 5000;

/** Relative error, as for IOReport, from whose counters it computes. */
const ERROR = 0.1;

/** Lines of the text output, in the man page's `cpu_power` sampler, by device. */
const LINES: readonly {
  readonly device: string;
  readonly domain: Domain;
  readonly line: RegExp;
}[] = [
  { device: "cpu", domain: "cpu", line: /^CPU Power:\s*([\d.]+)\s*(\w+)/m },
  {
    device: "package",
    domain: "cpu",
    line: /^Intel energy model derived package power[^:]*:\s*([\d.]+)\s*(\w+)/m,
  },
  { device: "gpu", domain: "gpu", line: /^GPU Power:\s*([\d.]+)\s*(\w+)/m },
  { device: "ane", domain: "gpu", line: /^ANE Power:\s*([\d.]+)\s*(\w+)/m },
];

export const powermetrics: SensorProvider = {
  name: "powermetrics",
  description: "Apple's powermetrics, where sudo allows it without a password (macOS)",
  domains: ["cpu", "gpu"],

  async probe(host): Promise<Probe> {
    if (host.platform !== "darwin") return { status: "absent", reason: "not macOS" };
    try {
      const allowed = await host.run("sudo", ["-n", "-l", PROGRAM], { timeout: TIMEOUT });
      if (allowed.code !== 0) return notAllowed;
      const sample = sampler(host);
      const { text } = await sample();
      const sensors = LINES.filter(({ line }) => line.test(text)).map((one) =>
        sensorOf(one, sample),
      );
      return sensors.some(({ domain }) => domain === "cpu")
        ? { status: "ready", sensors }
        : { status: "absent", reason: `powermetrics answered ${quoted(text)}` };
    } catch (error) {
      return { status: "absent", reason: reasonOf(error) };
    }
  },
};

const notAllowed: Probe = {
  status: "denied",
  reason: "powermetrics needs root, and sudo asks for a password",
  remedy: `nothing to do on Apple Silicon, where IOReport is better; else allow it with visudo: ${PROGRAM} NOPASSWD`,
};

interface Sample {
  readonly at: bigint;
  readonly text: string;
}

/** One run of the tool for all devices that are read together. */
function sampler(host: Host): () => Promise<Sample> {
  let running: Promise<Sample> | null = null;
  const take = async (): Promise<Sample> => {
    const args = ["-n", PROGRAM, "--samplers", "cpu_power", "-n", "1", "-i", String(WINDOW)];
    const { stdout, stderr, code } = await host.run("sudo", args, { timeout: TIMEOUT });
    if (code !== 0) throw new Error(`powermetrics: ${quoted(stderr)}`);
    // The window ended a moment ago; its middle is what the mean stands for.
    return { at: host.monotonic() - BigInt(WINDOW * 1e6) / 2n, text: stdout };
  };
  return () => {
    running ??= take().finally(() => {
      running = null;
    });
    return running;
  };
}

function sensorOf(
  { device, domain, line }: (typeof LINES)[number],
  sample: () => Promise<Sample>,
): Sensor {
  return {
    id: `powermetrics:${device}`,
    provider: "powermetrics",
    domain,
    device,
    scope: "component",
    kind: "power",
    method: "sampled",
    source: `powermetrics ${device} power`,
    error: ERROR,
    updatePeriod: WINDOW / 1000,
    async read() {
      const { at, text } = await sample();
      const watts = wattsIn(line.exec(text), device);
      // An idle accelerator does draw nothing; a processor that runs this does not.
      return { at, value: domain === "cpu" ? believable(watts, "powermetrics") : watts };
    },
  };
}

function wattsIn(match: RegExpExecArray | null, device: string): number {
  const value = Number(match?.[1] ?? Number.NaN);
  if (!Number.isFinite(value)) throw new Error(`powermetrics tells no power of the ${device}`);
  if (match?.[2] === "mW") return value / 1000;
  if (match?.[2] === "W") return value;
  throw new Error(`powermetrics gives the power of the ${device} in ${match?.[2]}`);
}

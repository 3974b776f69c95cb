// `godwit metrics`: the ledger as a scrape endpoint for Prometheus, until it is ended.

import { Command } from "@commander-js/extra-typings";
import { UserError } from "../core/errors.ts";
import type { CliContext } from "./context.ts";
import { LEDGER_OPTION } from "./open-ledger.ts";

const EXAMPLES = `
Examples:
  $ godwit metrics
  $ godwit metrics --listen 0.0.0.0:9464 --ledger postgresql://godwit@db/godwit

Without --listen only this machine can ask. There is no password: what the endpoint tells (names of runs,
energy, emissions), everybody who reaches it can read.`;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The command `metrics`. */
export function metricsCommand(context: CliContext) {
  return new Command("metrics")
    .description("Serve the ledger's runs to Prometheus at /metrics, until it is ended.")
    .option("--listen <host:port>", "where to listen", parseAddress, {
      host: "127.0.0.1",
      port: 9464,
    } as Address)
    .option(...LEDGER_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(async ({ listen, ledger: flag }) => {
      const { serveMetrics } = await import("../server/metrics-server.ts");
      const { contentOf } = await import("./export-formats.ts");
      const { openForReading } = await import("./open-ledger.ts");
      // A ledger that is not there yet is told at once, not at the first scrape.
      (await openForReading(context, flag)).close();
      const server = await serveMetrics({
        ...listen,
        async render() {
          const ledger = await openForReading(context, flag);
          try {
            return String((await contentOf("prometheus", ledger.cards(), context.host)).content);
          } finally {
            ledger.close();
          }
        },
        onFault: (text) => context.stderr.write(`godwit: ${text}\n`),
      });
      context.stderr.write(`godwit: metrics at ${server.url}; end with Ctrl-C\n`);
      await new Promise<void>((resolve) => {
        process.once("SIGINT", resolve);
        process.once("SIGTERM", resolve);
      });
      await server.close();
    });
}

/** `9464`, `:9464`, `0.0.0.0:9464`, `[::1]:9464`. */
export function parseAddress(text: string): Address {
  const match = /^(?:(\[[0-9a-f:]+\]|[^:[\]]*):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new UserError("usage", `--listen: cannot read "${text}"`, {
      hint: "Give a port, or an address and a port, such as 9464 or 0.0.0.0:9464.",
    });
  }
  return { host: match[1]?.replace(/[[\]]/g, "") || "127.0.0.1", port };
}

// `godwit export --otlp URL`: runs to an OpenTelemetry receiver, in parcels.

import { resolve } from "node:path";
import type { Card } from "../core/card.ts";
import { reasonOf, UserError } from "../core/index.ts";
import {
  headersOfEnvironment,
  headersOfFile,
  type OtlpTarget,
  otlpMetrics,
  otlpTraces,
  postOtlp,
} from "../report/exports/index.ts";
import type { CliContext } from "./context.ts";

/** Runs in one request: a run of an hour is about 100 kB with its power over time. */
const PARCEL = 20;

/** Sends every card; says how many, and what the receiver did not take. */
export async function sendOtlp(
  context: CliContext,
  cards: AsyncIterable<Card>,
  options: { readonly endpoint: string; readonly headersFile: string | undefined },
): Promise<void> {
  const target: OtlpTarget = {
    endpoint: options.endpoint,
    headers: {
      ...headersOfEnvironment(context.env["OTEL_EXPORTER_OTLP_HEADERS"]),
      ...(await fileHeaders(context, options.headersFile)),
    },
  };
  let sent = 0;
  let parcel: Card[] = [];
  const send = async (): Promise<void> => {
    if (parcel.length === 0) return;
    await post(context, target, parcel);
    sent += parcel.length;
    parcel = [];
  };
  for await (const card of cards) {
    parcel.push(card);
    if (parcel.length === PARCEL) await send();
  }
  await send();
  context.stderr.write(`Sent ${sent} ${sent === 1 ? "run" : "runs"}\n`);
}

async function post(context: CliContext, target: OtlpTarget, cards: readonly Card[]) {
  const messages = [
    { signal: "metrics", body: otlpMetrics(cards) },
    { signal: "traces", body: otlpTraces(cards) },
  ] as const;
  for (const message of messages) {
    const { rejected, message: said } = await postOtlp(context.host, target, message);
    if (rejected > 0 || said !== "") {
      context.stderr.write(`The receiver rejected ${rejected} of the ${message.signal}: ${said}\n`);
      if (rejected > 0) context.setExitCode(1);
    }
  }
}

async function fileHeaders(context: CliContext, file: string | undefined) {
  if (file === undefined) return {};
  const path = resolve(context.cwd, file);
  const text = await context.host.readText(path).catch((cause: unknown) => {
    throw new UserError("invalid-input", `--otlp-headers: cannot read ${path}`, {
      hint: `Check the path and its permissions (${reasonOf(cause)}).`,
      cause,
    });
  });
  return headersOfFile(text, path);
}

// Sends OTLP/JSON over HTTP (OTLP 1.x, "OTLP/HTTP"): a deadline for each attempt, retries with full
// jitter for the four statuses that the protocol calls retryable, Retry-After, no redirection (a
// credential must not travel on), and what the receiver rejected. Credentials are headers from the
// environment or a file; no message shows them.

import {
  type Host,
  type HttpResponse,
  hostErrorCode,
  reasonOf,
  UserError,
} from "../../core/index.ts";
import { redact, type Secret, secret } from "../../measure/carbon/providers/secret.ts";

export type Signal = "metrics" | "traces";

export interface OtlpTarget {
  /** Base address; `v1/metrics` or `v1/traces` is appended, as the protocol says. */
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, Secret>>;
  /** Milliseconds for one attempt. */
  readonly timeout?: number;
  /** Attempts in all. */
  readonly attempts?: number;
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: () => number;
}

/** What the receiver did not take, though it accepted the rest. */
export interface Accepted {
  readonly rejected: number;
  /** The receiver's own words; empty when it said nothing. */
  readonly message: string;
}

const RETRYABLE = new Set([429, 502, 503, 504]);
const FIRST_WAIT = 500;
const LONGEST_WAIT = 60_000;

/** Posts one signal. Throws UserError `denied`, `network` or `invalid-input`. */
export async function postOtlp(
  host: Pick<Host, "fetch" | "sleep" | "wall">,
  target: OtlpTarget,
  message: { readonly signal: Signal; readonly body: object },
): Promise<Accepted> {
  const url = addressOf(target.endpoint, message.signal);
  const secrets = Object.values(target.headers ?? {});
  const body = JSON.stringify(message.body);
  const headers = {
    ...Object.fromEntries(
      Object.entries(target.headers ?? {}).map(([name, value]) => [name, value.reveal()]),
    ),
    "content-type": "application/json",
  };
  const attempts = target.attempts ?? 4;
  for (let attempt = 1; ; attempt++) {
    const outcome = await host
      .fetch(url, {
        timeout: target.timeout ?? 10_000,
        method: "POST",
        redirect: "manual",
        headers,
        body,
      })
      .then(
        (response) => judge(url, response, host.wall()),
        (error: unknown): Outcome => ({ fault: `did not answer: ${whyNot(error)}`, wait: null }),
      );
    if ("accepted" in outcome) {
      return { ...outcome.accepted, message: redact(outcome.accepted.message, secrets) };
    }
    const jitter = (target.random ?? Math.random)() * FIRST_WAIT * 2 ** attempt;
    const wait = outcome.wait === null ? jitter : outcome.wait;
    if (wait === "never" || attempt >= attempts || wait > LONGEST_WAIT) {
      throw faultOf(url, outcome, secrets);
    }
    await host.sleep(wait);
  }
}

/** `name=value` pairs with percent-encoded values, as OTEL_EXPORTER_OTLP_HEADERS has them. */
export function headersOfEnvironment(value: string | undefined): Record<string, Secret> {
  const pairs = (value ?? "").split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      const name = pair.slice(0, at).trim();
      if (at < 1 || !HEADER_NAME.test(name)) throw badHeaders("OTEL_EXPORTER_OTLP_HEADERS");
      return [name, secret(decoded(pair.slice(at + 1).trim()))];
    }),
  );
}

/** `Name: value` lines of a file; empty lines and lines that begin with # are passed over. */
export function headersOfFile(text: string, path: string): Record<string, Secret> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      const name = line.slice(0, at).trim();
      if (at < 1 || !HEADER_NAME.test(name)) throw badHeaders(path);
      return [name, secret(line.slice(at + 1).trim())];
    }),
  );
}

/** A token of RFC 9110, 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The place is named, the line is not: it may hold the credential. */
const badHeaders = (where: string): UserError =>
  new UserError("invalid-input", `${where} holds what is no header`, {
    hint: "In the environment: authorization=Bearer%20TOKEN. In a file: Authorization: Bearer TOKEN.",
  });

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function addressOf(endpoint: string, signal: Signal): string {
  const base = URL.parse(endpoint);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new UserError("usage", "--otlp: that is no http or https address", {
      hint: "Give the receiver's base address, such as http://localhost:4318.",
    });
  }
  if (base.username !== "" || base.password !== "") {
    throw new UserError("usage", "--otlp: a credential in an address is seen by every process", {
      hint: "Set OTEL_EXPORTER_OTLP_HEADERS, or name a file with --otlp-headers.",
    });
  }
  base.pathname = `${base.pathname.replace(/\/$/, "")}/v1/${signal}`;
  return base.href;
}

type Outcome =
  | { readonly accepted: Accepted }
  | {
      readonly fault: string;
      /** Milliseconds that the receiver asks to wait; null: as the back-off says. */
      readonly wait: number | null | "never";
      readonly code?: "denied" | "invalid-input";
    };

function judge(url: string, { status, headers, body }: HttpResponse, now: number): Outcome {
  if (status >= 200 && status < 300) return { accepted: acceptedOf(body) };
  if (status === 401 || status === 403) {
    return { fault: `refused the credential (status ${status})`, wait: "never", code: "denied" };
  }
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers["location"] ?? "", url)?.host ?? "an address that cannot be read";
    return { fault: `sends elsewhere (to ${to}), which is not followed`, wait: "never" };
  }
  if (RETRYABLE.has(status)) {
    return {
      fault: `has a fault (status ${status})`,
      wait: retryAfter(headers["retry-after"], now),
    };
  }
  const said = printable(body).slice(0, 120);
  return { fault: `answered with status ${status}: ${said}`, wait: "never", code: "invalid-input" };
}

/** ExportMetricsServiceResponse and ExportTraceServiceResponse: int64 may be a string. */
function acceptedOf(body: string): Accepted {
  try {
    const partial: unknown = Reflect.get(Object(JSON.parse(body)), "partialSuccess");
    const of = (name: string): unknown => Reflect.get(Object(partial), name);
    const rejected = Number(of("rejectedDataPoints") ?? of("rejectedSpans") ?? 0);
    const message = printable(String(of("errorMessage") ?? ""));
    return { rejected: Number.isFinite(rejected) ? rejected : 0, message };
  } catch {
    // Receivers may answer with nothing, or in protobuf; a status of 200 is what counts.
    return { rejected: 0, message: "" };
  }
}

function faultOf(
  url: string,
  { fault, code }: { readonly fault: string; readonly code?: "denied" | "invalid-input" },
  secrets: readonly Secret[],
): UserError {
  const message = `${new URL(url).host} ${fault}`;
  return new UserError(code ?? "network", redact(printable(message), secrets), {
    hint:
      code === "denied"
        ? "Check OTEL_EXPORTER_OTLP_HEADERS, or the file of --otlp-headers."
        : "Is an OTLP/HTTP receiver there, taking JSON? Its default port is 4318. Sending again is safe.",
  });
}

function retryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** Node says "fetch failed" and keeps the reason, such as ECONNREFUSED, in the cause. */
function whyNot(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return hostErrorCode(cause) ?? reasonOf(cause);
}

const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();

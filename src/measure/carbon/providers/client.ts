// One careful client for all providers: a deadline for each attempt, retries with back-off and jitter, the
// server's own Retry-After, a least interval between requests, a cache that says how old its answers
// are, and no redirection, for a credential must not travel to an address that nobody chose.
//
// Back-off: "full jitter" of Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
// Retry-After: RFC 9110, section 10.2.3.

import {
  formatDuration,
  type Host,
  type HttpResponse,
  hostErrorCode,
  reasonOf,
  UserError,
} from "../../../core/index.ts";
import { type CacheStore, keep, readKept } from "./cache.ts";
import { redact, type Secret } from "./secret.ts";

export interface ClientOptions {
  readonly host: Pick<Host, "fetch" | "wall" | "sleep">;
  readonly store?: CacheStore;
  /** Never touch the network: answer from the cache, however old. */
  readonly offline?: boolean;
  /** Uniform in [0, 1), for the jitter; `Math.random` unless given. */
  readonly random?: () => number;
  /** Attempts in all. */
  readonly attempts?: number;
  /** Milliseconds for one attempt. */
  readonly timeout?: number;
  /** Least milliseconds between two requests. */
  readonly spacing?: number;
}

export interface Request {
  /** Name of the service, for messages. */
  readonly service: string;
  /** Without credentials: it is the key of the cache. */
  readonly url: string;
  /** What is added to the request alone: headers and parameters that carry credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly secretQuery?: Readonly<Record<string, string>>;
  readonly secrets?: readonly Secret[];
  /** Milliseconds for which an answer is as good as new; 0: ask every time, and keep nothing. */
  readonly freshFor: number;
  /** Milliseconds for which it is better than none when the service does not answer. */
  readonly usableFor?: number;
  /** Where a credential is got, for the hint of a refusal. */
  readonly credential?: string;
}

export interface Answer {
  readonly body: string;
  /** Milliseconds since 1970 UTC. */
  readonly retrievedAt: number;
  readonly from: "network" | "cache" | "stale cache";
  /** What must be said about it: its age, and why it is not newer. */
  readonly notices: readonly string[];
}

export interface Client {
  /** Throws UserError: `denied` for a credential, `network` for a service, `invalid-input` else. */
  get(request: Request): Promise<Answer>;
}

/** The longest wait between attempts, also when the server asks for more. */
const LONGEST_WAIT = 60_000;
const FIRST_WAIT = 500;

export function createClient(options: ClientOptions): Client {
  const { host, store } = options;
  let notBefore = 0;

  /** One request, no sooner than the spacing allows. */
  const once = async (request: Request): Promise<HttpResponse> => {
    const wait = Math.min(notBefore - host.wall(), options.spacing ?? 0);
    if (wait > 0) await host.sleep(wait);
    notBefore = host.wall() + (options.spacing ?? 0);
    return host.fetch(addressOf(request), {
      timeout: options.timeout ?? 10_000,
      redirect: "manual",
      ...(request.headers === undefined ? {} : { headers: request.headers }),
    });
  };

  /** The body of a good answer. Rejects with the last attempt's fault. */
  const fromNetwork = async (request: Request): Promise<string> => {
    const attempts = options.attempts ?? 4;
    for (let attempt = 1; ; attempt++) {
      const outcome = await once(request).then(
        (response) => judge(request, response, host.wall()),
        (error: unknown): Outcome => ({
          fault: fault(request, "network", `did not answer: ${whyNot(error)}`, OFFLINE),
          retryAfter: null,
        }),
      );
      if ("body" in outcome) return outcome.body;
      const { retryAfter } = outcome;
      const isLast = attempt >= attempts || retryAfter === "never";
      const wait =
        typeof retryAfter === "number"
          ? retryAfter
          : (options.random ?? Math.random)() * FIRST_WAIT * 2 ** attempt;
      if (isLast || wait > LONGEST_WAIT) throw outcome.fault;
      await host.sleep(wait);
    }
  };

  return {
    async get(request) {
      const kept = store === undefined ? null : await readKept(store, request.url);
      const age = kept === null ? null : host.wall() - kept.retrievedAt;
      // An answer from the future tells that a clock has moved; how old it is nobody knows.
      const isFresh = age !== null && age >= 0 && age < request.freshFor;
      if (kept !== null && (isFresh || options.offline)) {
        const notices = isFresh && !options.offline ? [] : [`offline: ${ageOf(request, age)}`];
        return { ...kept, from: isFresh ? "cache" : "stale cache", notices };
      }
      if (options.offline) {
        throw fault(request, "network", "was not asked: this run is offline", OFFLINE);
      }
      try {
        const body = await fromNetwork(request);
        const answer = { body, retrievedAt: host.wall() };
        const notices = store === undefined ? [] : await keep(store, request, answer);
        return { ...answer, from: "network", notices };
      } catch (error) {
        const isUsable = age !== null && Math.abs(age) < (request.usableFor ?? request.freshFor);
        // A refused credential is told, not covered by an old answer.
        const isRefused = error instanceof UserError && error.code === "denied";
        if (kept === null || !isUsable || isRefused) throw error;
        return {
          ...kept,
          from: "stale cache",
          notices: [`${ageOf(request, age)}: ${reasonOf(error)}`],
        };
      }
    },
  };
}

/** Node says "fetch failed" and keeps the reason, such as ENOTFOUND, in the cause. */
function whyNot(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return hostErrorCode(cause) ?? reasonOf(cause);
}

type Outcome =
  | { readonly body: string }
  | {
      readonly fault: UserError;
      /** Milliseconds that the server asks to wait; null: as the back-off says. */
      readonly retryAfter: number | null | "never";
    };

const OFFLINE = "Try again later, or go without: --intensity, or a place's yearly mean.";

function judge(request: Request, { status, headers, body }: HttpResponse, now: number): Outcome {
  const refuse = (...[code, what, hint]: [UserError["code"], string, string]): Outcome => ({
    fault: fault(request, code, what, hint),
    retryAfter: "never",
  });
  if (status === 401 || status === 403) {
    const hint = `Check ${request.credential ?? "the address"}, and what its plan allows.`;
    return refuse("denied", `refused the credential (status ${status})`, hint);
  }
  if (status >= 300 && status < 400) {
    const target = hostOf(headers["location"] ?? "", request.url);
    return refuse("network", `sends elsewhere (to ${target}), which is not followed`, OFFLINE);
  }
  if (status === 408 || status === 429 || status >= 500) {
    const why = status === 429 ? "asks to slow down" : "has a fault";
    return {
      fault: fault(request, "network", `${why} (status ${status})`, OFFLINE),
      retryAfter: retryAfterOf(headers["retry-after"], now),
    };
  }
  if (status !== 200) {
    const said = printable(body).slice(0, 120);
    return refuse("invalid-input", `answered with status ${status}: ${said}`, "Check the zone.");
  }
  if (/^\s*<(!doctype html|html)/i.test(body)) {
    const hint = `A proxy or a sign-in page may stand between. ${OFFLINE}`;
    return refuse("network", "answered with a web page instead of data", hint);
  }
  return { body };
}

/** Seconds or a date; null when it cannot be read, never less than zero. */
function retryAfterOf(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function addressOf({ url, secretQuery }: Request): string {
  const address = new URL(url);
  for (const [name, value] of Object.entries(secretQuery ?? {})) {
    address.searchParams.set(name, value);
  }
  return address.href;
}

function hostOf(location: string, base: string): string {
  return URL.parse(location, base)?.host ?? "an address that cannot be read";
}

/** An error without a credential in it; the cause is left out, for it may hold the address. */
function fault(request: Request, code: UserError["code"], what: string, hint: string): UserError {
  const message = redact(`${request.service} ${what}`, request.secrets ?? []);
  return new UserError(code, printable(message), { hint });
}

/** A stranger's text on one line, without control characters. */
const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();

function ageOf({ service }: Request, age: number | null): string {
  if (age === null || age < 0)
    return `${service}: kept answer of unknown age (the clock has moved)`;
  return `${service}: kept answer of ${formatDuration(age / 1000)} ago`;
}

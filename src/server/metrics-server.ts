// The ledger for a Prometheus server that comes and asks: GET /metrics, text exposition format 0.0.4. Every
// answer is read anew, so that runs of other processes are in it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostErrorCode, reasonOf, UserError } from "../core/index.ts";

export interface MetricsOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** The metrics as they are now. */
  readonly render: () => Promise<string>;
  /** What went wrong with an answer, for people. */
  readonly onFault: (text: string) => void;
}

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Serves until closed. Throws UserError when the address cannot be listened on. */
export async function serveMetrics(options: MetricsOptions): Promise<MetricsServer> {
  const answer = answerOf(options);
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => options.onFault(reasonOf(error)));
  });
  server.maxConnections = 64;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}/metrics`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, { host, port }: MetricsOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  }).catch((cause: unknown) => {
    const isTaken = hostErrorCode(cause) === "EADDRINUSE";
    throw new UserError("network", `cannot listen on ${host}:${port}: ${reasonOf(cause)}`, {
      hint: isTaken
        ? "Something listens there already; give another port."
        : "Give another address.",
      cause,
    });
  });
}

/** Scrapes that come while one is being answered get that answer: a ledger is read once at a time. */
function answerOf({ render, onFault }: MetricsOptions) {
  let rendering: Promise<string> | null = null;
  const rendered = (): Promise<string> => {
    rendering ??= render().finally(() => {
      rendering = null;
    });
    return rendering;
  };
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname !== "/metrics") return end(response, 404, "metrics are at /metrics\n");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return end(response, 405, "only GET and HEAD\n");
    }
    try {
      end(response, 200, await rendered());
    } catch (error) {
      // Why stays here: a path or an address of the ledger is not for whoever may ask.
      onFault(reasonOf(error));
      end(response, 500, "the ledger cannot be read; godwit says why where it runs\n");
    }
  };
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": CONTENT_TYPE, "cache-control": "no-store" });
  response.end(body);
}

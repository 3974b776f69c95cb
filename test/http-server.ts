// A web server of this process for tests of what asks the network: it answers as the test says,
// remembers what it was asked, and ends with the test.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface TestServer {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
}

export async function startServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests };
}

/** Answers in turn; the last one again and again. */
export function inTurn(
  ...answers: readonly {
    readonly status?: number;
    readonly headers?: object;
    readonly body?: string;
  }[]
): (request: IncomingMessage, response: ServerResponse) => void {
  let turn = 0;
  return (_, response) => {
    const {
      status = 200,
      headers = {},
      body = "",
    } = answers[Math.min(turn++, answers.length - 1)] ?? {};
    response.writeHead(status, { ...headers });
    response.end(body);
  };
}

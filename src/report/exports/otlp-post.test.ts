import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../../test/fake-host.ts";
import { inTurn, startServer } from "../../../test/http-server.ts";
import { createNodeHost } from "../../core/host/node-host.ts";
import type { Host } from "../../core/index.ts";
import { headersOfEnvironment, headersOfFile, postOtlp } from "./otlp-post.ts";

const message = { signal: "metrics", body: { resourceMetrics: [] } } as const;

/** Real requests; waiting is remembered instead of done. */
function hostWithClock(): { readonly host: Host; readonly waits: number[] } {
  const waits: number[] = [];
  const node = createNodeHost();
  return {
    waits,
    host: {
      ...node,
      facts: node.facts,
      sleep: async (milliseconds) => void waits.push(milliseconds),
    },
  };
}

describe("posting OTLP", () => {
  test("goes to /v1/metrics below the base address, as JSON, with the headers", async () => {
    let body = "";
    const { url, requests } = await startServer((request, response) => {
      request.on("data", (chunk) => (body += chunk)).on("end", () => response.end("{}"));
    });
    const headers = headersOfFile("# secret\nAuthorization: Bearer abc\n", "file");
    const endpoint = `${url}/base/`;
    await postOtlp(createNodeHost(), { endpoint, headers }, message);
    expect(requests[0]).toMatchObject({ method: "POST", url: "/base/v1/metrics" });
    expect(requests[0]?.headers).toMatchObject({
      authorization: "Bearer abc",
      "content-type": "application/json",
    });
    expect(JSON.parse(body)).toEqual(message.body);
  });

  test("retries what the protocol calls retryable, as long as the receiver asks", async () => {
    const { url, requests } = await startServer(
      inTurn({ status: 503, headers: { "retry-after": "7" } }, { status: 429 }, { body: "" }),
    );
    const { host, waits } = hostWithClock();
    expect(await postOtlp(host, { endpoint: url, random: () => 0.5 }, message)).toEqual({
      rejected: 0,
      message: "",
    });
    expect(requests).toHaveLength(3);
    expect(waits).toEqual([7000, 1000]);
  });

  test.each([400, 404, 500, 501])("status %i is not retried", async (status) => {
    const { url, requests } = await startServer(
      inTurn({ status, body: "no\u001b[31m such thing" }),
    );
    const { host } = hostWithClock();
    await expect(postOtlp(host, { endpoint: url }, message)).rejects.toThrow(
      `answered with status ${status}: no [31m such thing`,
    );
    expect(requests).toHaveLength(1);
  });

  test("a redirection is not followed, so that the credential stays", async () => {
    const other = await startServer(inTurn({}));
    const { url } = await startServer(inTurn({ status: 307, headers: { location: other.url } }));
    await expect(postOtlp(createNodeHost(), { endpoint: url }, message)).rejects.toThrow(
      "sends elsewhere",
    );
    expect(other.requests).toHaveLength(0);
  });

  test("says what the receiver rejected of what it took", async () => {
    const partialSuccess = { rejectedDataPoints: "3", errorMessage: "too old" };
    const { url } = await startServer(inTurn({ body: JSON.stringify({ partialSuccess }) }));
    expect(await postOtlp(createNodeHost(), { endpoint: url }, message)).toEqual({
      rejected: 3,
      message: "too old",
    });
  });

  test("a receiver that never answers is given up after its attempts, with a reason", async () => {
    const { url, requests } = await startServer(() => undefined);
    const { host, waits } = hostWithClock();
    const target = { endpoint: url, timeout: 50, attempts: 2 };
    await expect(postOtlp(host, target, message)).rejects.toMatchObject({ code: "network" });
    expect([requests.length, waits.length]).toEqual([2, 1]);
  });

  test("no message shows a credential, not even when the receiver repeats it", async () => {
    const { url } = await startServer(
      inTurn({ status: 401 }, { status: 400, body: "Bearer hush!" }),
    );
    const headers = headersOfEnvironment("authorization=Bearer%20hush%21,x-team=a");
    expect(headers["authorization"]?.reveal()).toBe("Bearer hush!");
    const target = { endpoint: url, headers };
    await expect(postOtlp(createNodeHost(), target, message)).rejects.toMatchObject({
      code: "denied",
    });
    const fault = await postOtlp(createNodeHost(), target, message).catch(String);
    expect(fault).toContain("[secret]");
    expect(fault).not.toContain("hush");
  });

  test("a malformed header is refused without being shown", () => {
    expect(() => headersOfEnvironment("tok en=s3cr3t")).toThrow(
      /^OTEL_EXPORTER_OTLP_HEADERS holds/,
    );
    expect(() => headersOfFile("s3cr3t", "h.txt")).toThrow("h.txt holds what is no header");
  });

  test.each(["ftp://x", "nonsense", "http://me:pw@host"])(
    "the address %s is refused",
    async (endpoint) => {
      const fault = await postOtlp(createFakeHost(), { endpoint }, message).catch(String);
      expect(fault).toContain("--otlp");
      expect(fault).not.toContain("pw@");
    },
  );
});

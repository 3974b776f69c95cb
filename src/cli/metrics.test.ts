import { expect, test } from "vitest";
import { parseAddress } from "./metrics.ts";

test.each([
  ["9464", { host: "127.0.0.1", port: 9464 }],
  [":9464", { host: "127.0.0.1", port: 9464 }],
  ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
  ["[::1]:9464", { host: "::1", port: 9464 }],
  ["meter.example:1", { host: "meter.example", port: 1 }],
])("%s is where to listen", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each(["", "host", "host:", "1.2.3.4:99999", "a:b:1"])("%j is refused", (text) => {
  expect(() => parseAddress(text)).toThrow(/--listen/);
});

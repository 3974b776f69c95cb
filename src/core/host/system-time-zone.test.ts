import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemTimeZone } from "./system-time-zone.ts";

const folder = mkdtempSync(join(tmpdir(), "godwit-zone-"));
afterAll(() => rmSync(folder, { recursive: true }));

const asked = Intl.DateTimeFormat().resolvedOptions().timeZone;

const linkTo = (target: string): string => {
  const link = join(folder, target.replaceAll("/", "-"));
  symlinkSync(target, link);
  return link;
};

test.each([
  ["/usr/share/zoneinfo/Asia/Kolkata", "Asia/Kolkata"],
  ["../usr/share/zoneinfo/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
  ["/var/db/timezone/zoneinfo/Etc/GMT+5", "Etc/GMT+5"],
])("the link to %s names %s", (target, name) => {
  expect(systemTimeZone({}, linkTo(target))).toBe(name);
});

test("TZ goes before the link", () => {
  const link = linkTo("/usr/share/zoneinfo/Europe/Paris");
  expect(systemTimeZone({ TZ: "Europe/Berlin" }, link)).toBe("Europe/Berlin");
  expect(systemTimeZone({ TZ: ":Europe/Berlin" }, link)).toBe("Europe/Berlin");
});

test.each([
  ["an offset", { TZ: "CET-1CEST" }, "none"],
  ["a path in TZ", { TZ: "/etc/../../etc/shadow" }, "none"],
  ["no link", {}, "none"],
  ["a link elsewhere", {}, linkTo("/etc/some/Where")],
])("%s is left to Intl", (_, env, link) => {
  expect(systemTimeZone(env, link)).toBe(asked);
});

// The HTML report in a real browser: no violation of accessibility in light and dark, at the width of
// a desk and of a phone, nothing fetched, nothing wider than the screen, and hostile text stays text.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { equivalentsOf, loadEveryday, renderHtml } from "../src/report/index.ts";
import { renderPlanPage } from "../src/report/plan-page.ts";
import { createFakeHost } from "./fake-host.ts";
import { hostileCard, poorCard, richCard } from "./sample-card.ts";
import { samplePlan } from "./sample-plan.ts";

const BROWSERS = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const browser = BROWSERS.find((path) => path !== "" && existsSync(path));
if (browser === undefined) {
  console.log(
    "report page: no Chromium found (apt-get install chromium, or set CHROMIUM): skipped",
  );
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

describe.skipIf(browser === undefined)("the report in a browser", () => {
  let folder = "";
  let context: BrowserContext;
  const pages: Record<string, string> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "godwit-page-"));
    const everyday = await loadEveryday(createFakeHost());
    const rich = richCard();
    const cards = {
      rich: renderHtml(rich, { equivalents: equivalentsOf(rich, everyday) }),
      poor: renderHtml(poorCard()),
      plan: renderPlanPage({ ...samplePlan(), version: "0.0.0" }),
      hostile: renderHtml(
        hostileCard(
          `"'><img src=x onerror="document.title='owned'"></title></style><script>document.title='owned'</script>`,
        ),
      ),
    };
    for (const [name, html] of Object.entries(cards)) {
      pages[name] = join(folder, `${name}.html`);
      writeFileSync(pages[name], html);
    }
    context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath: browser ?? "",
      headless: true,
      args: FLAGS,
      // The page's own policy forbids scripts; axe is one.
      bypassCSP: true,
    });
  });

  afterAll(async () => {
    await context?.close();
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, scheme: "light" | "dark", width: number): Promise<Page> {
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.goto(pathToFileURL(pages[name] ?? "").href);
    return page;
  }

  const views = ["rich", "poor", "hostile", "plan"].flatMap((name) =>
    (["light", "dark"] as const).flatMap((scheme) =>
      [1280, 390].map((width) => [name, scheme, width] as const),
    ),
  );

  test.each(views)(
    "the %s page in %s at %i pixels has no accessibility fault",
    async (name, scheme, width) => {
      const page = await open(name, scheme, width);
      await page.addScriptTag({ content: readFileSync(axePath, "utf8") });
      const { violations, passes } = await page.evaluate<{
        violations: Violation[];
        passes: unknown[];
      }>("axe.run()");
      await page.close();
      expect(passes.length).toBeGreaterThan(10);
      expect(
        violations.map(({ id, nodes }) => ({
          id,
          at: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
        })),
      ).toEqual([]);
    },
  );

  test.each(views)(
    "the %s page in %s at %i pixels is no wider than the screen",
    async (name, scheme, width) => {
      const page = await open(name, scheme, width);
      const excess = await page.evaluate<number>(
        "document.documentElement.scrollWidth - window.innerWidth",
      );
      await page.close();
      expect(excess).toBeLessThanOrEqual(0);
    },
  );

  test("nothing is fetched, and no script runs", async () => {
    const page = await context.newPage();
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    const messages: string[] = [];
    page.on("console", (message) => messages.push(message.text()));
    await page.goto(pathToFileURL(pages["hostile"] ?? "").href);
    const title = await page.title();
    const tags = await page.evaluate<number>("document.querySelectorAll('script, img').length");
    await page.close();
    expect(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual(
      [],
    );
    expect(messages).toEqual([]);
    expect(title).toContain("<script>");
    expect(tags).toBe(0);
  });

  test.each(["rich", "plan"])("no two labels of a chart of %s lie on each other", async (name) => {
    const page = await open(name, "light", 390);
    const overlaps = await page.evaluate<string[]>(`
      [...document.querySelectorAll("svg.chart")].flatMap((svg) => {
        const boxes = [...svg.querySelectorAll("text")]
          .map((node) => ({ text: node.textContent, box: node.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0);
        return boxes.flatMap((a, i) => boxes.slice(i + 1)
          .filter((b) => a.box.left < b.box.right && b.box.left < a.box.right &&
            a.box.top + 3 < b.box.bottom && b.box.top + 3 < a.box.bottom)
          .map((b) => a.text + " | " + b.text));
      })`);
    await page.close();
    expect(overlaps).toEqual([]);
  });
});

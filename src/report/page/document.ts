// What every HTML page of ours is: one self-contained file, no network, no scripts, light and dark, fit to
// print. The content policy in its head forbids everything but its own style sheet.

import { type Child, element, join, text, trusted } from "../markup.ts";
import { STYLE } from "./style.ts";

export interface Page {
  readonly title: string;
  /** Of godwit. */
  readonly version: string;
  /** Header, main and footer. */
  readonly body: readonly Child[];
}

/** The whole document. */
export function htmlDocument({ title, version, body }: Page): string {
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", {
      "http-equiv": "Content-Security-Policy",
      content: "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("meta", { name: "generator", content: `godwit ${version}` }),
    element("title", {}, text(`${title} - godwit`)),
    element("link", { rel: "icon", href: "data:," }),
    element("style", {}, STYLE),
  );
  const html = element("html", { lang: "en" }, head, element("body", {}, ...body));
  return `${join([trusted("<!doctype html>\n"), html])}\n`;
}

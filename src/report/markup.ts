// HTML and SVG as strings that cannot be broken out of: text becomes markup through `text` or
// `element` alone, and both escape. Not a template engine; names and tags of a run are hostile.

declare const brand: unique symbol;

/** A string that is well-formed markup. */
export type Markup = string & { readonly [brand]: "markup" };

/** What an element may hold; a plain string is text and is escaped. */
export type Child = Markup | readonly Child[] | null;

/** Attribute values; `null` and `false` leave the attribute out, `true` leaves it empty. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** Control and surrogate code points, separators, and the bidirectional controls. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

const VOID = new Set(["br", "hr", "img", "link", "meta"]);

const ENTITY: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as markup, safe between tags and inside quoted attributes. */
export function text(value: string | number): Markup {
  return legible(String(value)).replace(/[&<>"']/g, (char) => ENTITY[char] ?? "") as Markup;
}

/** An element. Its name and attribute names are ours, never input. */
export function element(name: string, attributes: Attributes = {}, ...children: Child[]): Markup {
  const head = Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== false)
    .map(([key, value]) => (value === true ? ` ${key}` : ` ${key}="${text(String(value))}"`))
    .join("");
  const body = join(children);
  if (VOID.has(name)) return `<${name}${head}>` as Markup;
  return `<${name}${head}>${body}</${name}>` as Markup;
}

/** Markup one after the other. */
export function join(children: Child, separator = ""): Markup {
  if (children === null) return "" as Markup;
  if (typeof children === "string") return children;
  const parts = children.map((child) => join(child, separator)).filter((part) => part !== "");
  return parts.join(separator) as Markup;
}

/** Our own style sheet or document type, which no input ever reaches. */
export const trusted = (source: string): Markup => source as Markup;

/**
 * Text without what can hide or reorder it: control characters, line and paragraph separators,
 * bidirectional overrides and lone surrogates become U+FFFD; tabs and line breaks become spaces.
 */
export function legible(value: string): string {
  return value.replace(/[\t\n\r]+/g, " ").replace(UNSEEN, "\ufffd");
}

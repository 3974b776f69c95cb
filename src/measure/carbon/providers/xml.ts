// The little XML that market documents need: elements and text. Attributes are passed over, prefixes
// dropped. Document types are refused, and with them every entity that a hostile document could define
// (XML 1.0, section 4.3).

/** An element; `text` is what stands in it directly. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Deeper than any market document by far. */
const DEEPEST = 50;

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w:.-]+)((?:"[^"]*"|'[^']*'|[^>"'])*?)(\/?)>|<|[^<]+/g;

interface Open {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/** The root element. Throws SyntaxError for what is no XML, is cut off, or defines a document type. */
export function parseXml(text: string): XmlElement {
  const stack: Open[] = [{ name: "", children: [], text: "" }];
  for (const [token, cdata, slash, qualified = "", , selfClosing] of text.matchAll(TOKEN)) {
    const top = stack.at(-1);
    if (top === undefined) throw new SyntaxError("XML closes more than it opens");
    if (cdata !== undefined) top.text += cdata;
    else if (qualified !== "") {
      const name = qualified.replace(/^.*:/, "");
      if (slash === "/") close(stack, name);
      else {
        if (stack.length > DEEPEST) throw new SyntaxError("XML is nested too deep");
        stack.push({ name, children: [], text: "" });
        if (selfClosing === "/") close(stack, name);
      }
    } else if (token === "<")
      throw new SyntaxError("XML with a document type, or cut off in a tag");
    else if (!token.startsWith("<")) top.text += decode(token);
  }
  const [root, ...open] = stack;
  const [element, ...more] = root?.children ?? [];
  if (open.length > 0) throw new SyntaxError(`XML is cut off inside ${open.at(-1)?.name}`);
  if (element === undefined || more.length > 0) throw new SyntaxError("XML has no single root");
  return element;
}

function close(stack: Open[], name: string): void {
  const closed = stack.pop();
  if (closed === undefined || closed.name !== name || stack.length === 0) {
    throw new SyntaxError(`XML closes ${name}, which is not open`);
  }
  stack.at(-1)?.children.push({ ...closed, text: closed.text.trim() });
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

const decode = (text: string): string =>
  text.replaceAll(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);

/** Children of a name. */
export const childrenOf = (of: XmlElement, name: string): readonly XmlElement[] =>
  of.children.filter((child) => child.name === name);

/** Text at a path of names, or null. */
export function textAt(of: XmlElement, ...path: readonly string[]): string | null {
  let at: XmlElement | undefined = of;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at?.text ?? null;
}

// Comma-separated values by RFC 4180, for the tables in data/ and for users' files.

/** Rows of fields. Quoted fields may hold commas, line breaks and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  while (at < text.length) {
    const { field, end } = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    row.push(field);
    if (text[end] === ",") {
      at = end + 1;
      // A comma at the very end of the text opens one more, empty field.
      if (at === text.length) row.push("");
      continue;
    }
    rows.push(row);
    row = [];
    at = text[end] === "\r" ? end + 2 : end + 1;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

/** Up to the next comma or line end; a carriage return counts as data unless a line feed follows. */
const PLAIN = /(?:[^,\r\n]|\r(?!\n|$))*/y;

function plainField(text: string, start: number): { field: string; end: number } {
  PLAIN.lastIndex = start;
  const field = PLAIN.exec(text)?.[0] ?? "";
  return { field, end: start + field.length };
}

function quotedField(text: string, start: number): { field: string; end: number } {
  let field = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw new SyntaxError(`quoted field at offset ${start} is not closed`);
    field += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { field, end: quote + 1 };
    field += '"';
    at = quote + 2;
  }
}

/** Rows as objects keyed by the header. Throws SyntaxError naming a row of another width. */
export function parseCsvTable(text: string): Record<string, string>[] {
  const [header, ...rows] = parseCsv(text);
  if (header === undefined) return [];
  return rows.map((row, index) => {
    if (row.length !== header.length) {
      const widths = `${row.length} fields, the header has ${header.length}`;
      throw new SyntaxError(`row ${index + 2} has ${widths}`);
    }
    return Object.fromEntries(header.map((name, column) => [name, row[column] ?? ""]));
  });
}

/** One field, quoted when it must be. */
export function csvField(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

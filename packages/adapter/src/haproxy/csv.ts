/** Comma-separated values as HAProxy writes them: quotes around what holds a comma, a quote or a line break; pure. */

/** Rows of cells. A quote that is never closed ends with the text. Linear in the text. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const cell = text[at] === '"' ? quoted(text, at + 1) : plain(text, at);
    row.push(cell.value);
    at = cell.end;
    if (text[at] === ',') {
      at += 1;
      // A comma at the end of the text begins a last, empty cell.
      if (at === text.length) row.push('');
      continue;
    }
    rows.push(row);
    row = [];
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
  }
  if (row.length > 0) rows.push(row);
  return rows.filter((cells) => cells.length > 1 || cells[0] !== '');
}

interface Cell {
  readonly value: string;
  /** Of the comma or line break after it. */
  readonly end: number;
}

function plain(text: string, from: number): Cell {
  let end = from;
  while (end < text.length && !',\r\n'.includes(text.charAt(end))) end += 1;
  return { value: text.slice(from, end), end };
}

function quoted(text: string, from: number): Cell {
  let value = '';
  let at = from;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return { value: value + text.slice(at), end: text.length };
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at += 1;
  }
  // What stands between the quote and the comma belongs to nothing.
  return { value, end: plain(text, at).end };
}

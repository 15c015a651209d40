/** The answer to INFO as sections of fields; pure. */

export interface InfoField {
  readonly key: string;
  readonly value: string;
}

export interface Info {
  /** Section in lower case → its fields in order. A section met twice continues. */
  readonly sections: ReadonlyMap<string, readonly InfoField[]>;
  /** Lines that are neither section, field nor empty. */
  readonly unread: number;
}

export function parseInfo(text: string): Info {
  const sections = new Map<string, InfoField[]>();
  let fields: InfoField[] | undefined;
  let unread = 0;
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') continue;
    if (line.startsWith('# ')) {
      const name = line.slice(2).trim().toLowerCase();
      fields = sections.get(name) ?? [];
      sections.set(name, fields);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) {
      unread += 1;
      continue;
    }
    fields ??= under(sections, '');
    fields.push({ key: line.slice(0, colon), value: line.slice(colon + 1) });
  }
  return { sections, unread };
}

/** `a=1,b=2` of cmdstat_, slave0, db0 …; parts without `=` are left out. */
export function parsePairs(value: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (let from = 0; from < value.length;) {
    const comma = value.indexOf(',', from);
    const end = comma === -1 ? value.length : comma;
    const equals = value.indexOf('=', from);
    if (equals > from && equals < end) pairs.set(value.slice(from, equals), value.slice(equals + 1, end));
    from = end + 1;
  }
  return pairs;
}

/** Numbers as Redis writes them, its words for yes and no; undefined for anything else. */
export function infoNumber(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
  if (value === 'ok' || value === 'true') return 1;
  if (value === 'err' || value === 'fail' || value === 'false') return 0;
  if (/^[+-]?nan$/i.test(value)) return Number.NaN;
  if (!/^[+-]?inf$/i.test(value)) return undefined;
  return value.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function under(sections: Map<string, InfoField[]>, name: string): InfoField[] {
  const fields: InfoField[] = [];
  sections.set(name, fields);
  return fields;
}

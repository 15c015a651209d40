/** JMX object names, `domain:key=value,…`, and the patterns that select them. */

export interface ObjectName {
  readonly domain: string;
  /** In the order of the text; values as they stand there, with quotes and escapes. */
  readonly properties: readonly (readonly [key: string, value: string])[];
}

/** Undefined for what is no object name. */
export function parseObjectName(text: string): ObjectName | undefined {
  const parts = split(text);
  if (parts === undefined || parts.anyProperties || parts.properties.length === 0) return undefined;
  return { domain: parts.domain, properties: parts.properties };
}

export type ObjectNameMatcher = (name: ObjectName) => boolean;

/** `*` and `?` in domain and values; `*` alone among the properties stands for any others. Undefined: no pattern. */
export function compileObjectNamePattern(text: string): ObjectNameMatcher | undefined {
  const parts = split(text);
  if (parts === undefined) return undefined;
  const domain = wildcard(parts.domain);
  const wanted = parts.properties.map(([key, value]) => [key, wildcard(value)] as const);
  return (name) => {
    if (!domain(name.domain)) return false;
    if (!parts.anyProperties && name.properties.length !== wanted.length) return false;
    return wanted.every(([key, matches]) => {
      const found = name.properties.find(([other]) => other === key);
      return found !== undefined && matches(found[1]);
    });
  };
}

/** Jolokia answers a pattern with all that it selects, a name with one. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

interface Parts {
  readonly domain: string;
  readonly properties: readonly (readonly [string, string])[];
  readonly anyProperties: boolean;
}

function split(text: string): Parts | undefined {
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const properties: [string, string][] = [];
  let anyProperties = false;
  // Quoted values may hold commas and anything escaped.
  const property = /\s*(?:(\*)|([^,=:*?"]+)=("(?:[^"\\]|\\.)*"|[^,=:"]*))\s*(,|$)/y;
  property.lastIndex = colon + 1;
  while (property.lastIndex < text.length) {
    const found = property.exec(text);
    if (found === null) return undefined;
    if (found[1] !== undefined) anyProperties = true;
    else properties.push([found[2] ?? '', found[3] ?? '']);
  }
  return { domain: text.slice(0, colon), properties, anyProperties };
}

/** A star takes as little as it can, and only the last one is ever tried again: no pattern takes long. */
function wildcard(pattern: string): (text: string) => boolean {
  if (!isPattern(pattern)) return (text) => text === pattern;
  return (text) => {
    let at = 0;
    let of = 0;
    let star = -1;
    let mark = 0;
    while (at < text.length) {
      if (pattern[of] === '*') {
        star = of++;
        mark = at;
      } else if (of < pattern.length && (pattern[of] === '?' || pattern[of] === text[at])) {
        at++;
        of++;
      } else if (star === -1) return false;
      else {
        of = star + 1;
        at = ++mark;
      }
    }
    return /^\**$/.test(pattern.slice(of));
  };
}

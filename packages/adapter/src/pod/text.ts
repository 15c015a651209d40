/** The texts of control groups and /proc as numbers; pure. What is no number is left out. */

/** One number, or `max`: undefined then, as for a text that is neither. */
export function single(text: string | undefined): number | undefined {
  return whole(text?.trim());
}

/** `key value` a line (cpu.stat, memory.stat, memory.events). */
export function keyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [key = '', word] = line.split(' ');
    const value = whole(word);
    if (key !== '' && value !== undefined) values.set(key, value);
  }
  return values;
}

/** `name key=value key=value` a line (io.stat, *.pressure). */
export function nested(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const lines = new Map<string, Map<string, number>>();
  for (const line of text.split('\n')) {
    const [name = '', ...pairs] = line.trim().split(/\s+/);
    if (name === '') continue;
    const values = lines.get(name) ?? new Map<string, number>();
    lines.set(name, values);
    for (const pair of pairs) {
      const [key = '', word] = pair.split('=');
      const value = word === undefined ? undefined : Number(word);
      if (key !== '' && value !== undefined && word !== '' && Number.isFinite(value)) values.set(key, value);
    }
  }
  return lines;
}

/** `Key: 12 kB` a line (/proc/PID/status, /proc/PID/io), without the unit. */
export function colons(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const value = whole(
      line
        .slice(colon + 1)
        .trim()
        .split(/\s/, 1)[0],
    );
    if (colon > 0 && value !== undefined) values.set(line.slice(0, colon), value);
  }
  return values;
}

function whole(word: string | undefined): number | undefined {
  return word !== undefined && /^-?\d+$/.test(word) ? Number(word) : undefined;
}

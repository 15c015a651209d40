/** Servers that describe a command differently: one row that is right for all of them. */

import type { Row } from './row.ts';

/** One row for each name, in the order of first sight: a read only where all say so, everything else where one says so. */
export function mergeRows(rows: readonly Row[]): Row[] {
  const byName = new Map<string, Row>();
  for (const row of rows) {
    const known = byName.get(row.name);
    byName.set(row.name, known === undefined ? row : merged(known, row));
  }
  return [...byName.values()];
}

/** The later row tells where the keys are: newer servers know more of a command's forms. */
function merged(earlier: Row, later: Row): Row {
  const flags = [...new Set([...earlier.flags, ...later.flags])];
  const readonly = earlier.flags.includes('readonly') && later.flags.includes('readonly');
  return {
    ...later,
    flags: readonly ? flags : flags.filter((flag) => flag !== 'readonly'),
    origin: `${earlier.origin}, ${later.origin}`,
  };
}

/** What the steps of a sequence claim about the endpoints their connections reached: the same for every executor. */

import type { Reach } from './types.ts';

/** The problem in words, or undefined when the claim holds. `last`: what this client's last step reached. */
export function checkReach(
  reaches: Reach,
  endpoints: readonly (string | undefined)[],
  possible: readonly string[],
  last: string | undefined,
): string | undefined {
  const distinct = new Set(endpoints);
  if (distinct.size === 0 || distinct.has(undefined)) return 'a connection reached nothing';
  const [first] = distinct;
  const said = [...distinct].join(', ');
  switch (reaches) {
    case 'one':
      return distinct.size === 1 ? undefined : `reached several: ${said}`;
    case 'same':
      return distinct.size === 1 && first === last ? undefined : `reached ${said} instead of ${last}`;
    case 'other':
      return distinct.has(last) ? `reached ${last} again` : undefined;
    case 'all':
      return possible.every((endpoint) => distinct.has(endpoint)) ? undefined : `reached only ${said}`;
  }
}

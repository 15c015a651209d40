/** Reads go on while writes cannot: how long a client waited at most, and what it was refused. */

import type { History } from '../history.ts';
import { failed } from '../history.ts';

export interface Served {
  readonly answered: number;
  readonly failed: number;
  readonly longestMs: number;
}

/** Of the reads sent in that time by these sessions. */
export function readsServed(
  history: History,
  { from, to }: { readonly from: number; readonly to: number },
  sessions: (session: number) => boolean = () => true,
): Served {
  const reads = history.filter(
    ({ action, sentAt, session }) =>
      action.kind === 'last' && from <= sentAt && sentAt <= to && sessions(session),
  );
  return {
    answered: reads.filter((op) => op.reply !== undefined && !failed(op)).length,
    failed: reads.filter((op) => op.reply === undefined || failed(op)).length,
    longestMs: reads.reduce((most, { sentAt, answeredAt }) => Math.max(most, answeredAt - sentAt), 0),
  };
}

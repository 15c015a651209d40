/** Every reply answers its own question: the right client, the right order, one each. */

import { describe, entry, failed, shown } from '../history.ts';
import type { History, Op } from '../history.ts';

const LENGTH = /^:[1-9]\d*\r\n$/;
const LENGTH_OF_TRANSACTION = /^\+OK\r\n\+QUEUED\r\n\*1\r\n:[1-9]\d*\r\n$/;

export function repliesMatched(history: History): string[] {
  const sent = new Set(
    history.flatMap(({ action }) => (action.kind === 'append' ? [entry(action.key, action.seq)] : [])),
  );
  return history
    .filter((op) => op.reply !== undefined && !failed(op) && !answers(op, sent))
    .map((op) => `not an answer to what was asked: ${describe(op)}`);
}

function answers(op: Op, sent: ReadonlySet<string>): boolean {
  const { action, reply = '' } = op;
  switch (action.kind) {
    case 'echo':
      return reply === `$${action.word.length}\r\n${action.word}\r\n`;
    case 'last': {
      const seq = shown(op);
      return seq !== undefined && (seq === -1 || sent.has(entry(action.key, seq)));
    }
    case 'append':
      return (action.via === 'transaction' ? LENGTH_OF_TRANSACTION : LENGTH).test(reply);
  }
}

/**
 * A process to be killed: `crash-writer.ts DIR WRITERS` writes without pause and tells on stdout what was acknowledged,
 * one line each: `ack REVISION KEY FINGERPRINT`; or `refused CODE`. Small bounds make compaction and checkpoints part of every run.
 */

import { systemClock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import { openSqliteStore } from '../../src/store/index.ts';
import { fingerprint, put, write } from './store-words.ts';

const [dir = '', writers = '1', rounds = 'Infinity'] = process.argv.slice(2);
const limits = { historyChanges: 200, walBytes: 128 * 1024 };
const store = await openSqliteStore({ dir, clock: systemClock(), limits });
const started = store.status().revision;
await say(`ready ${started}`);

await Promise.all(
  Array.from({ length: Number(writers) }, async (_, writer) => {
    for (let count = 0; count < Number(rounds); count++) {
      const key = `/w/${writer}/${count % 3}`;
      const value = `${started}-${writer}-${count}-${'x'.repeat((writer * 37 + count * 101) % 900)}`;
      const told = await write(store, put(key, value)).then(
        (revision) => `ack ${revision} ${key} ${fingerprint(Buffer.from(value))}`,
        (error: unknown) => `refused ${errorCode(error)}`,
      );
      await say(told);
    }
  }),
);
await store.close();

function say(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
}

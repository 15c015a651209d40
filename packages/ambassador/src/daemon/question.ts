/** A question of ours to a server, on a line that sessions share. */

import type { Clock } from '@outrigger/core/clock';
import { ReplyDecoder } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Line, LineWaiter } from '../upstream/line.ts';
import { Run } from '../upstream/run.ts';
import type { RunOwner } from '../upstream/run.ts';

export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Resolves to the answer, an error of the server's included. Rejects when the line is lost or cannot be opened, or when
 * there is no answer in time: one that comes later is for nobody.
 */
export function question(line: Line, request: Uint8Array, patience: Patience): Promise<RespValue> {
  const { clock, timeoutMs } = patience;
  return new Promise((resolve, reject) => {
    const waiter: LineWaiter = { lineChanged: () => proceed() };
    const timer = clock.setTimeout(() => {
      line.leave(waiter);
      reject(new Error(`${line.server.name} did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const fail = (why: string): void => {
      timer.cancel();
      reject(new Error(why));
    };
    const decoder = new ReplyDecoder();
    const take = (bytes: Uint8Array): void => {
      for (const value of decoder.push(Buffer.from(bytes))) {
        timer.cancel();
        resolve(value);
      }
    };
    const owner: RunOwner = {
      answered: (_run, bytes) => take(bytes),
      rejected: (_run, _rejection, bytes) => take(bytes),
      lost: (_run, refusal) => fail(refusal.why),
    };
    const proceed = (): void => {
      if (line.state === 'opening') line.wait(waiter);
      else if (line.state === 'closed') fail(line.refusal?.why ?? 'it is closed');
      else line.send(new Run(owner, line), request, 1);
    };
    proceed();
  });
}

/** A question of ours to a server, on a line that sessions share. */

import { ReplyDecoder } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Line } from '../upstream/line.ts';
import { Run } from '../upstream/run.ts';
import type { RunOwner } from '../upstream/run.ts';

/** Resolves to the answer, an error of the server's included. Rejects when the line is lost, or cannot be opened. */
export async function question(line: Line, request: Uint8Array): Promise<RespValue> {
  while (line.state === 'opening') {
    await new Promise<void>((resolve) => line.wait({ lineChanged: () => resolve() }));
  }
  if (line.state === 'closed') throw new Error(line.refusal?.why ?? 'it is closed');
  return new Promise((resolve, reject) => {
    const decoder = new ReplyDecoder();
    const take = (bytes: Uint8Array): void => {
      for (const value of decoder.push(Buffer.from(bytes))) resolve(value);
    };
    const owner: RunOwner = {
      answered: (_run, bytes) => take(bytes),
      rejected: (_run, _rejection, bytes) => take(bytes),
      lost: (_run, refusal) => reject(new Error(refusal.why)),
    };
    line.send(new Run(owner, line), request, 1);
  });
}

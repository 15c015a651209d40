/**
 * A MULTI of ours, for a transaction whose client has its +OK already. Were it refused, what follows would be executed at
 * once and by itself, so what follows waits for its answer.
 */

import { encodeCommand } from '@outrigger/core/resp';
import type { Line } from '../upstream/line.ts';
import { Run } from '../upstream/run.ts';
import type { RunOwner } from '../upstream/run.ts';

/** What a server says that has begun it. */
export const agreed = '+OK';

export class AskedMulti implements RunOwner {
  /** Without the end of its line; undefined while there is none. */
  reply: string | undefined;
  readonly #told: () => void;
  #part = '';

  constructor(line: Line, told: () => void) {
    this.#told = told;
    line.send(new Run(this, line), encodeCommand(['MULTI']), 1);
  }

  answered(run: Run, bytes: Uint8Array): void {
    this.#part += Buffer.from(bytes).toString('latin1');
    if (!run.done) return;
    this.reply = this.#part.trimEnd();
    this.#told();
  }

  rejected(run: Run, _rejection: unknown, bytes: Uint8Array): void {
    this.answered(run, bytes);
  }

  /** Its session waits for the line, and is told there. */
  lost(): void {}
}

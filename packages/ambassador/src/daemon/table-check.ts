/** Compares the command table with the primary's own COMMAND: once for each process that becomes primary. */

import { errorCode } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import type { RespValue } from '@outrigger/core/resp';
import type { LiveCommands } from '../commands/live.ts';

export interface TableCheckOptions {
  readonly live: LiveCommands;
  /** The `run_id` of the primary of all keys; undefined while none is known. */
  readonly runId: () => string | undefined;
  readonly ask: (args: readonly string[]) => Promise<RespValue>;
  readonly log: Logger;
}

export class TableCheck {
  readonly #options: TableCheckOptions;
  #checked: string | undefined;

  constructor(options: TableCheckOptions) {
    this.#options = options;
  }

  /** Something changed; cheap to call often. Where the server cannot be asked, the next change asks again. */
  look(): void {
    const runId = this.#options.runId();
    if (runId === undefined || runId === this.#checked) return;
    this.#checked = runId;
    void this.#check(runId);
  }

  async #check(runId: string): Promise<void> {
    const { live, ask, log } = this.#options;
    try {
      const reply = await ask(['COMMAND']);
      if (reply.type === 'error') {
        log.info('the server does not describe its commands: the table alone decides', { error: reply.text });
        return;
      }
      const differences = live.verify(reply).map(({ name, was, is }) => `${name}: ${was} → ${is}`);
      if (differences.length > 0) {
        log.warn('the server describes commands more strictly than the table: it is followed', {
          differences,
        });
      }
    } catch (error) {
      log.debug('the server was not asked for its commands', { code: errorCode(error), error });
      if (this.#checked === runId) this.#checked = undefined;
    }
  }
}

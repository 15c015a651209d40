/**
 * Certificates, keys and tokens: given in place or in a file.
 *
 * Files are read again once they are older than `rereadMs`, because tokens and certificates are rotated under us (a
 * pod's token lives for an hour). A file that cannot be read any more leaves the last good content in use.
 */

import { readFile } from 'node:fs/promises';
import type { Clock } from '../../clock/index.ts';
import { errorCode, OutriggerError } from '../../errors/index.ts';
import type { Logger } from '../../log/index.ts';

export type Material = { readonly file: string } | { readonly data: string };

/** How long the content of a file is taken as current. Lower reads more often; higher notices rotation later. */
const rereadMs = 10_000;

export class MaterialReader {
  readonly #what: string;
  readonly #source: Material;
  readonly #clock: Clock;
  readonly #log: Logger;
  #content: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #failing = false;

  /** `what` names the content in messages: "bearer token". */
  constructor(what: string, source: Material, deps: { readonly clock: Clock; readonly log: Logger }) {
    this.#what = what;
    this.#source = source;
    this.#clock = deps.clock;
    this.#log = deps.log;
    if ('data' in source) this.#content = source.data;
  }

  /** Throws CONTROL_CREDENTIALS when the file was never readable. */
  async read(): Promise<string> {
    if ('file' in this.#source && this.#clock.now() - this.#readAt >= rereadMs)
      await this.#reread(this.#source.file);
    return this.#content ?? '';
  }

  /** The next `read` looks at the file whatever its age. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  async #reread(file: string): Promise<void> {
    try {
      this.#content = await readFile(file, 'utf8');
      this.#readAt = this.#clock.now();
      this.#failing = false;
    } catch (error) {
      const failure = new OutriggerError(`cannot read the ${this.#what}: ${errorCode(error)}`, {
        code: 'CONTROL_CREDENTIALS',
        target: file,
        hint: `make ${file} readable for this process`,
        cause: error,
      });
      if (this.#content === undefined) throw failure;
      if (!this.#failing)
        this.#log.warn('credentials not readable any more, the last ones stay in use', {
          file,
          error: failure,
        });
      this.#failing = true;
      this.#readAt = this.#clock.now();
    }
  }
}

/** Where the rules are: an object of the configuration, or a file that is read again when it has changed. */

import { parseDocument } from '@outrigger/core/config';
import { describeError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { readFile } from 'node:fs/promises';
import { markOf } from '../mapping/source.ts';
import { SourceError } from '../sources/source.ts';
import { readJmxConfig } from './config.ts';
import type { JmxConfig } from './config.ts';
import { JmxRules } from './rules.ts';

export interface JmxSetup {
  readonly config: JmxConfig;
  readonly rules: JmxRules;
}

export interface JmxSetupFrom {
  readonly file: string | undefined;
  /** Where there is no file; nothing: every attribute under its default name. */
  readonly inline: unknown;
}

/** Looks at the file each time it is asked, as jmx_exporter does; a bad one is refused and the one before stays. */
export class JmxSetups {
  readonly #file: string | undefined;
  readonly #log: Logger | undefined;
  #current: JmxSetup | undefined;
  #mark = '';

  /** Throws what readJmxConfig throws for an inline document. */
  constructor(from: JmxSetupFrom, log: Logger | undefined) {
    this.#file = from.file;
    this.#log = log;
    if (from.file === undefined) this.#current = setupOf(from.inline);
  }

  /** Rejects with SourceError while there is no good file. */
  async current(): Promise<JmxSetup> {
    if (this.#file !== undefined) await this.#look(this.#file);
    if (this.#current !== undefined) return this.#current;
    throw new SourceError('internal', `the rules in ${this.#file} were refused; see the log`);
  }

  async #look(file: string): Promise<void> {
    const mark = await markOf(file);
    if (mark === this.#mark && mark !== '') return;
    try {
      this.#current = setupOf(await parseDocument(await readFile(file, 'utf8'), file));
      this.#mark = mark;
    } catch (error) {
      const problem = describeError(error);
      if (this.#current === undefined) {
        throw new SourceError('internal', `the rules in ${file} cannot be used: ${problem}`, {
          cause: error,
        });
      }
      // Said once for each state of the file.
      if (mark !== this.#mark)
        this.#log?.error('the rules changed and are refused; those before stay', { file, problem });
      this.#mark = mark;
    }
  }
}

function setupOf(document: unknown): JmxSetup {
  const config = readJmxConfig(document ?? {});
  return { config, rules: new JmxRules(config) };
}

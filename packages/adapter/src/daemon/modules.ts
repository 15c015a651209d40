/** json_exporter's modules, wherever they are: a file that is followed, or in the document itself. */

import type { Deps } from '@outrigger/core/lifecycle';
import { readJsonModules, readModulesOfObject } from '../json/modules.ts';
import type { JsonModules } from '../json/modules.ts';
import type { AdapterConfig } from './config.ts';
import type { Prepared } from '../prepared.ts';
import { FollowedFile } from './followed-file.ts';

export class Modules {
  readonly #deps: Deps;
  #file: FollowedFile<JsonModules> | undefined;
  #inline: JsonModules = new Map();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Those of now. */
  get json(): JsonModules {
    return this.#file?.value ?? this.#inline;
  }

  /** Throws what is wrong with them. */
  async prepare({ jsonModules, modules }: AdapterConfig): Promise<Prepared> {
    const inline = modules === undefined ? new Map() : readModulesOfObject(modules);
    const file =
      jsonModules === undefined
        ? undefined
        : await FollowedFile.open(jsonModules, readJsonModules, this.#deps);
    return {
      commit: () => {
        this.close();
        this.#file = file;
        this.#inline = inline;
      },
      discard: () => file?.close(),
    };
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

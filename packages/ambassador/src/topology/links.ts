/** The connections of a realm to the servers it asks: one to each, however many want to know. */

import type { Server } from '../upstream/server.ts';
import { Link } from './link.ts';
import type { LinkOptions } from './link.ts';

export class Links {
  readonly #options: LinkOptions;
  readonly #onEnd: (server: string) => void;
  readonly #links = new Map<string, Link>();

  /** `onEnd`: a server has closed its connection. */
  constructor(options: LinkOptions, onEnd: (server: string) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
  }

  to(server: Server): Link {
    const known = this.#links.get(server.name);
    if (known !== undefined && known.server.tls === server.tls) return known;
    known?.close();
    const link = new Link(server, this.#options, () => this.#onEnd(server.name));
    this.#links.set(server.name, link);
    return link;
  }

  /** Closes those to any other server. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, link] of this.#links) {
      if (names.has(name)) continue;
      link.close();
      this.#links.delete(name);
    }
  }

  close(): void {
    this.keep(new Set());
  }
}

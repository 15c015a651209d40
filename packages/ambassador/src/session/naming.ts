/** What the request shown amounts to: by the table, else by what the live server says of its name, and by its arguments. */

import { decodeRequest, encodeCommand } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import { meantBy } from './script-sharing.ts';
import type { Session } from './session.ts';

export class Naming {
  readonly #session: Session;
  #learning = false;
  /** What a server said of a name: kept for the request that waits for it, should nothing else keep it. */
  #learned: { readonly name: string; readonly command: Command } | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Undefined while a server is asked about it. */
  known(): Command | undefined {
    const { feed } = this.#session;
    const command = feed.command ?? this.#learn(feed.name);
    const meant = command?.examine?.(this.#session.args) ?? command;
    return meant?.route === 'script' ? meantBy(this.#session, meant) : meant;
  }

  /** The name as typed, where nobody knows the command. */
  typed(command: Command): string | undefined {
    const { context, feed } = this.#session;
    return command === context.table.unknown ? feed.name : undefined;
  }

  /** A line of words becomes the array that means the same. False: only Redis can say what is wrong with it. */
  takesWords(): boolean {
    const { feed, outbox } = this.#session;
    // Redis looks for the end of a line as C looks in a string: behind a nul byte it sees none.
    if (feed.frame().includes(0)) return false;
    try {
      const words = decodeRequest(feed.frame());
      outbox.flush();
      feed.drop();
      feed.putBack([encodeCommand(words)]);
      return feed.next() === 'frame';
    } catch {
      // Unbalanced quotes: Redis has the words for that.
      return false;
    }
  }

  #learn(name: string): Command | undefined {
    const session = this.#session;
    const { live } = session.context;
    const known = live.known(name) ?? (this.#learned?.name === name ? this.#learned.command : undefined);
    if (known !== undefined || this.#learning) return known;
    this.#learning = true;
    void live.learn(name).then((command) => {
      this.#learning = false;
      this.#learned = { name, command };
      session.advance();
    });
    return undefined;
  }
}

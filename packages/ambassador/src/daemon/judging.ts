/**
 * Who may stay. A reload takes users away, or forbids what a client is joined to a server for; and where servers judge
 * passwords, they take users away: their connections are closed then, as the servers close their own.
 */

import type { AuthCheck } from '../locals/answer.ts';
import { Ended } from '../observe/names.ts';
import type { Connection } from '../session/connection.ts';
import type { Line } from '../upstream/line.ts';
import type { Servers } from '../upstream/servers.ts';
import type { Refusal } from '../upstream/welcome.ts';

/** Users that are gone end, and what is forbidden by now; those from before there were users have to say who they are. */
export function judgeSessions(all: Iterable<Connection>, auth: AuthCheck, nowRequired: boolean): void {
  for (const connection of [...all]) {
    const { state, passing } = connection.session;
    if (nowRequired) state.authenticated = false;
    const gone = !nowRequired && auth.required && auth.knows?.(state.userName) === false;
    if (gone || passing.forbidden) connection.destroy(Ended.killed);
  }
}

export interface LoginsOptions {
  readonly servers: () => Pick<Servers, 'line'>;
  readonly connections: () => Iterable<Connection>;
  /** Whether the server is believed to be a primary: users are not replicated, so one that a replica lacks may be there. */
  readonly isPrimary: (server: string) => boolean;
}

/**
 * Users of the servers. ACL DELUSER closes the connections of its user there; whether that is why one is lost, the next
 * one tells. A user that is merely switched off stays where it is, here as there, until its connection is lost.
 */
export class Logins {
  readonly #options: LoginsOptions;

  constructor(options: LoginsOptions) {
    this.#options = options;
  }

  /** A line failed to open, or was lost while open. */
  lost(line: Line, refusal: Refusal, was: 'opening' | 'open'): void {
    // What one session has for itself may be there to try a password, and the loss of it is told to that session.
    const shared = !line.exclusive && line.identity.password !== undefined;
    if (!shared || !this.#options.isPrimary(line.server.name)) return;
    if (was === 'opening') this.#judge(line, refusal.error);
    else if (this.#of(line).length > 0) queueMicrotask(() => this.#open(line));
  }

  /** Where they have been refused a moment ago, that answer counts. */
  #open({ server, identity }: Line): void {
    const line = this.#options.servers().line(server, identity, 'main', false);
    if (line?.state === 'closed') this.#judge(line, line.refusal?.error);
  }

  #judge(line: Line, error: string | undefined): void {
    if (!isRefused(error)) return;
    for (const one of this.#of(line)) one.destroy(Ended.killed);
  }

  #of({ identity: { user, password } }: Line): Connection[] {
    return [...this.#options.connections()].filter(({ session: { state } }) => {
      return state.identity.user === user && state.identity.password === password;
    });
  }
}

function isRefused(error: string | undefined): boolean {
  return error !== undefined && /^(WRONGPASS|NOAUTH)/.test(error);
}

/**
 * Lines of a session's own, because its answers are large.
 *
 * On a shared line an answer of many megabytes holds up everybody behind it, and a client that reads it slowly cannot be
 * waited for: its answers would pile up here. So once part of an answer has grown large the session's next commands go
 * to lines lent to it, at whatever server, which are paused while it is behind. What it is owed already comes on the
 * shared line still; if that is much, the line is left to it, and the others get a new one.
 */

import type { Line } from '../upstream/line.ts';
import type { Server } from '../upstream/server.ts';
import type { Session } from './session.ts';

export class Heavy {
  readonly #session: Session;
  readonly #lines: Line[] = [];
  /** The shared line that its last large answer comes on. */
  #shared: Line | undefined;
  /** A shared line that nobody else gets any more. */
  #left: Line | undefined;
  #sinceMs: number;

  constructor(session: Session) {
    this.#session = session;
    this.#sinceMs = session.ports.now();
    session.context.heavy.add(this);
  }

  /** A part of an answer that has grown large came on `line`. */
  note(line: Line): void {
    const { ledger, context, ports } = this.#session;
    const { limits } = context;
    this.#sinceMs = ports.now();
    if (line.exclusive || this.#left !== undefined) return;
    this.#shared = line;
    if (ledger.unanswered * limits.largeReplyBytes > limits.maxReplyBacklogBytes) this.#leave(line);
  }

  /** A line to send on; undefined: none may be lent, so a shared one has to do. */
  line(server: Server, readonly: boolean): Line | undefined {
    const { context, state } = this.#session;
    const at = this.#lines.findIndex((one) => one.server.name === server.name);
    const known = this.#lines[at];
    if (known?.identity === state.identity && known.state !== 'closed') return known;
    if (known !== undefined) {
      this.#lines.splice(at, 1);
      if (this.#lines.length === 0) context.counters.unpin('large');
      context.servers.giveBack(known);
      // It could not be opened: the shared one may do.
      if (known.welcome.runId === '' && known.state === 'closed') return undefined;
    }
    const lent = context.servers.lend(server, state.identity, readonly);
    if (lent === undefined) return undefined;
    if (this.#lines.length === 0) context.counters.pin('large');
    this.#lines.push(lent);
    return lent;
  }

  /** The client is behind: what only it is waiting for is not read. */
  pause(): void {
    for (const line of this.#lines) line.pause();
    if (this.#left === undefined && this.#shared?.idle === false) this.#leave(this.#shared);
    if (this.#left?.onlyFor(this.#session.answers) === true) this.#left.pause();
  }

  resume(): void {
    for (const line of this.#lines) line.resume();
    this.#left?.resume();
  }

  /** True when it was let go, since no answer has been large for a while. */
  over(nowMs: number): boolean {
    const { quiet, context } = this.#session;
    if (!quiet || nowMs - this.#sinceMs < context.limits.largeQuietMs) return false;
    this.end();
    return true;
  }

  /** What leads to any other server is given back once it has answered. */
  retain(names: ReadonlySet<string>): void {
    const { servers, counters } = this.#session.context;
    for (const line of [...this.#lines]) {
      if (!line.idle || names.has(line.server.name)) continue;
      this.#lines.splice(this.#lines.indexOf(line), 1);
      if (this.#lines.length === 0) counters.unpin('large');
      servers.giveBack(line);
    }
  }

  /** The others get a new line, and this one may wait for its client. */
  #leave(line: Line): void {
    this.#left = line;
    this.#session.context.servers.leave(line);
  }

  /** The session's answers are all in, or for nobody any more. */
  end(): void {
    const { servers, heavy, counters } = this.#session.context;
    if (this.#lines.length > 0) counters.unpin('large');
    for (const line of this.#lines) servers.giveBack(line);
    this.#lines.length = 0;
    heavy.delete(this);
    if (this.#left?.idle === false && this.#left.onlyFor(this.#session.answers))
      this.#left.close('its client is gone');
    this.#left?.resume();
    this.#left = undefined;
    this.#session.heavy = undefined;
  }
}

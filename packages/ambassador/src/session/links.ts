/** A session's two connections: opened when first needed, opened again after they are gone. */

import type { Role, SessionContext, SessionPorts } from './ports.ts';
import { ReplyStream } from './replies.ts';
import type { Replica } from '../topology/topology.ts';

export type Link =
  | { readonly state: 'closed' }
  | { readonly state: 'opening' }
  /** `runId` is the process that was reached, '' when it does not tell. */
  | { readonly state: 'open'; readonly runId: string; readonly replies: ReplyStream };

const closed: Link = { state: 'closed' };

export class Links {
  readonly #ports: SessionPorts;
  readonly #context: SessionContext;
  readonly #links: Record<Role, Link> = { primary: closed, replica: closed };
  #primaryName = '';
  #primaryDown: { readonly why: string; readonly untilMs: number } | undefined;

  constructor(ports: SessionPorts, context: SessionContext) {
    this.#ports = ports;
    this.#context = context;
  }

  of(role: Role): Link {
    return this.#links[role];
  }

  /** The process the replica connection has reached. */
  get reached(): string | undefined {
    const link = this.#links.replica;
    return link.state === 'open' ? link.runId : undefined;
  }

  opened(role: Role, runId: string): void {
    this.#links[role] = { state: 'open', runId, replies: new ReplyStream(role === 'replica') };
  }

  /** Whether commands can be sent now; if not, a connection is on its way. */
  ready(role: Role, replica: Replica | undefined): boolean {
    const link = this.#links[role];
    if (link.state === 'closed') {
      this.#links[role] = { state: 'opening' };
      if (role === 'primary') this.#primaryName = this.#context.topology.primary.name;
      this.#ports.open(role, role === 'replica' ? replica : undefined);
    }
    return link.state === 'open';
  }

  /** Leaves a server that has been replaced as primary; false while it still owes answers. Without a new one it stays. */
  followPrimary(owing: boolean): boolean {
    const { name } = this.#context.topology.primary;
    if (this.#links.primary.state !== 'open' || name === this.#primaryName || name === '') return true;
    if (!owing) this.drop('primary');
    return !owing;
  }

  /** It is gone already; tells what it was. */
  lost(role: Role): Link {
    const was = this.#links[role];
    this.#links[role] = closed;
    return was;
  }

  /** Closes it, and tells what it was. */
  drop(role: Role): Link {
    const was = this.lost(role);
    if (was.state !== 'closed') this.#ports.close(role);
    return was;
  }

  /** The primary could not be reached: for a moment commands fail at once instead of each trying again. */
  primaryFailed(why: string): void {
    const { topology, limits } = this.#context;
    const text = `primary ${topology.primary.name} unreachable: ${why}; the command was not sent`;
    this.#primaryDown = { why: text, untilMs: this.#ports.now() + limits.failFastMs };
  }

  /** The error for a command that needs the primary now; undefined when it is worth trying. */
  whyDown(): string | undefined {
    const down = this.#primaryDown;
    if (down === undefined || this.#links.primary.state === 'open') return undefined;
    if (this.#ports.now() < down.untilMs) return down.why;
    this.#primaryDown = undefined;
    return undefined;
  }
}

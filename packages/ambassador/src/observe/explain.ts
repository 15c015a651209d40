/** `outrigger why redis 'GETEX k'`: where a command would go, and which rule says so. */

import { splitWords } from '@outrigger/core/resp';
import { CommandTable, containerClass } from '../commands/commands.ts';
import type { Consistency, ReadPolicy } from '../daemon/config.ts';
type Route = 'primary' | 'replica' | 'splice';
import type { Topology } from '../topology/topology.ts';

export interface Explanation {
  readonly command: string;
  readonly route: Route | 'none';
  readonly reason: string;
  /** Replica → why it takes no reads. */
  readonly excluded: Readonly<Record<string, string>>;
}

export interface ExplainState {
  readonly readPolicy: ReadPolicy;
  readonly consistency: Consistency;
  readonly topology: Topology;
}

/** `line` as typed at redis-cli. Says what a session without a past would do; a past can only move reads to the primary. */
export function explainCommand(line: string, state: ExplainState): Explanation {
  const args = splitWords(line).map((arg) => arg.toString('latin1'));
  const command = (args[0] ?? '').toUpperCase();
  const excluded = state.topology.exclusions();
  const name = Buffer.from(command, 'latin1');
  const known = new CommandTable().find(name, name.length);
  const kind = known === 'container' ? containerClass(args) : known;
  switch (kind) {
    case 'read':
      return { command, excluded, ...explainRead(state) };
    case 'write':
      return { command, excluded, route: 'primary', reason: 'it is a write' };
    case 'naming':
      return { command, excluded, route: 'primary', reason: 'it names the connection to the primary' };
    case 'other':
      return {
        command,
        excluded,
        route: 'primary',
        reason: 'it changes nothing, but only the primary answers it right',
      };
    default:
      return {
        command,
        excluded,
        route: 'splice',
        reason:
          'it is not known to be one plain command with one answer: its session is joined to the primary for good',
      };
  }
}

function explainRead({
  readPolicy,
  consistency,
  topology,
}: ExplainState): Pick<Explanation, 'route' | 'reason'> {
  if (readPolicy === 'primary')
    return { route: 'primary', reason: 'it is a read, and readPolicy is primary' };
  const replica = topology.choose(() => true);
  if (replica === undefined) {
    return readPolicy === 'replica'
      ? { route: 'none', reason: 'it is a read, readPolicy is replica, and no replica takes reads' }
      : { route: 'primary', reason: 'it is a read, but no replica takes reads' };
  }
  const until =
    consistency === 'session'
      ? '; once its session has had an answer from another server, only when the replica is proven to have caught up with it'
      : '';
  return { route: 'replica', reason: `it is a read, and ${replica.name} takes reads${until}` };
}

/**
 * Scripts are kept by each server for itself and are not replicated. What clients show of them is remembered, so that an
 * EVALSHA that meets a server without the script can be healed (repeats.ts), and SCRIPT LOAD is repeated at the replicas,
 * so that EVALSHA_RO, and EVALSHA of a script that cannot write, find it there.
 */

import type { Command } from '../commands/command.ts';
import { nobody, Run } from '../upstream/run.ts';
import type { Session } from './session.ts';

const showing: ReadonlySet<string> = new Set(['EVAL', 'EVAL (no-writes)', 'EVAL_RO', 'SCRIPT|LOAD']);

/** An EVALSHA of a script that is known not to write is a read; of one that is not known, a write. */
export function meantBy({ context, args }: Session, command: Command): Command {
  if (command.name !== 'EVALSHA' || !context.scripts.reads(args[1])) return command;
  return context.table.named('EVALSHA (no-writes)') ?? command;
}

/** Called when the command is placed; more than once does no harm. */
export function shareScript(session: Session, { name }: Command): void {
  const { scripts } = session.context;
  if (showing.has(name)) scripts.scriptOf(session.args);
  if (name === 'SCRIPT|FLUSH') scripts.flush();
  if (name === 'SCRIPT|LOAD' || name === 'SCRIPT|FLUSH') atReplicas(session);
}

/** Best effort: a replica that misses it answers NOSCRIPT, and the primary is asked. */
function atReplicas(session: Session): void {
  const { context, state } = session;
  const request = Buffer.from(session.feed.frame());
  for (const shard of context.routes().realmOf(undefined).shards) {
    for (const { name, eligible } of shard.topology.replicas) {
      const known = eligible ? shard.server(name) : undefined;
      const line = known && context.servers.openLine(name, state.identity, 'script');
      if (line !== undefined) line.send(new Run(nobody, line), request, 1);
    }
  }
}

/** An ambassador's explanation of a command, as text. */

import type { Explanation, ReplicaReport } from '@outrigger/ambassador';

export function renderRedis(explanation: Explanation): string {
  const { command, class: kind, reason, origin, refused, goes, pins, keys } = explanation;
  const lines = [
    `${command}: ${kind} (${explanation.route})`,
    `  why      ${reason} (${origin})`,
    ...(refused === null ? [] : [`  refused  ${refused}`]),
    `  goes     ${goes.server === null ? goes.to : `${goes.to} ${goes.server}`}: ${goes.why}`,
    ...(pins === null ? [] : [`  takes    ${pins}`]),
    `  again    ${explanation.mutates ? 'never sent twice once it has left, unless the server refused it' : 'may be sent again when its server fails'}`,
    ...keys.map((key) => `  key      ${key.key}${placeOf(key)}`),
    `  reads    ${explanation.readPolicy}, ${explanation.consistency} consistency, realm ${explanation.realm}`,
    ...explanation.replicas.map(replica),
  ];
  return `${lines.join('\n')}\n`;
}

function placeOf({ slot, shard }: Explanation['keys'][number]): string {
  return slot === null ? '' : `  slot ${slot}, ${shard === null ? 'served by nobody' : `shard ${shard}`}`;
}

function replica({ server, takesReads, why, lagMs, zone }: ReplicaReport): string {
  const lag = lagMs === null ? '' : `, ${lagMs} ms behind at most`;
  const where = zone === null ? '' : `, zone ${zone}`;
  return `    ${server.padEnd(21)} ${takesReads ? 'takes reads' : `takes no reads: ${why}`}${lag}${where}`;
}

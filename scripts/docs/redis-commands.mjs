/** The tables of docs/redis-commands.md: every command the ambassador knows, and for reads what a replica may answer differently. */

import { mergeRows } from '../../packages/ambassador/src/commands/merge.ts';
import { CommandTable, knownRows } from '../../packages/ambassador/src/commands/table.ts';
import { generatedServers } from '../../packages/ambassador/src/commands/table.generated.ts';

/** Parts of the page, and the routes each holds. */
const PARTS = {
  reads: ['read', 'scriptRead'],
  primary: ['primary', 'cursor'],
  writes: ['write', 'script'],
  own: [
    ...['blocking', 'wait', 'multi', 'exec', 'discard', 'watch', 'unwatch', 'subscribe', 'monitor'],
    ...['aside', 'sticky', 'splice'],
  ],
  local: ['local'],
};

const ORDER = 'order of what is in no order';
const CLOCK = "the time left, by the replica's clock";
const RANDOM = 'chance, as everywhere';
const SCRIPT =
  'what a script asks of the server itself (TIME, INFO, random choices); the text of the error when it writes after all';

/** What a replica may answer differently although it has the same data, beyond what the page says of all reads. */
const DIFFERS = {
  'EVAL (no-writes)': SCRIPT,
  EVAL_RO: SCRIPT,
  'EVALSHA (no-writes)': SCRIPT,
  EVALSHA_RO: SCRIPT,
  FCALL_RO: SCRIPT,
  HRANDFIELD: RANDOM,
  HPTTL: CLOCK,
  HTTL: CLOCK,
  LOLWUT: "the replica's version",
  PFCOUNT: 'nothing; the primary would keep the count it has computed, a replica computes it each time',
  PTTL: CLOCK,
  RANDOMKEY: RANDOM,
  SORT_RO: 'with BY nosort: order of what is in no order',
  SRANDMEMBER: RANDOM,
  TTL: CLOCK,
  VRANDMEMBER: RANDOM,
  VSIM: "which near elements are found: the search is approximate, and each server's graph its own",
  ZRANDMEMBER: RANDOM,
};

export const commandParts = Object.keys(PARTS);

/** The rows of `docs/redis-commands.md` for one part, in the order of the names. */
export function commandTable(part) {
  const flags = new Map(mergeRows(knownRows()).map((row) => [row.name, row.flags]));
  const rows = new CommandTable()
    .all()
    .filter(({ route, name }) => PARTS[part].includes(route) && name !== '(unknown)')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((command) => {
      const cells = [code(command.name), label(command), command.why, serversOf(command.origin)];
      return part === 'reads' ? [...cells, differs(command.name, flags.get(command.name) ?? [])] : cells;
    });
  const head = ['command', 'route', 'why', 'known to'];
  const titles = part === 'reads' ? [...head, 'on a replica'] : head;
  return [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** What the last cell of a read's row says; '?' for one whose flags promise a difference nobody has described. */
export function differs(name, flags) {
  if (DIFFERS[name] !== undefined) return DIFFERS[name];
  if (flags.includes('nondeterministic_output_order')) return ORDER;
  return flags.includes('nondeterministic_output') ? '?' : 'the same';
}

/** A bar would end the cell, also within code. */
function code(name) {
  return `\`${name.replace('|', ' ')}\``;
}

function label({ route, mutates }) {
  return mutates && !['write', 'script'].includes(route) ? `${route}, never repeated` : route;
}

function serversOf(origin) {
  const named = origin.replace(/^override; /, '');
  return named === Object.values(generatedServers).join(', ') ? 'all' : named;
}

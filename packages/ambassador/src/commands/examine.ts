/**
 * What arguments decide. The row of a command is always its strictest case, right for every request; where arguments can
 * show that a request is a milder one, there is a milder row beside it. Arguments are read at their places, as the server
 * does: a key named STORE is not an option. What makes no sense stays with the strict row, and Redis answers the error.
 */

import type { Route } from './command.ts';

/** The milder row, and when it applies. */
export interface Milder {
  /** Added to the name: `SORT (no STORE)`. */
  readonly suffix: string;
  readonly route: Route;
  readonly mutates: boolean;
  readonly why: string;
  /** Undefined: arguments alone do not show it (session/script-sharing.ts). */
  readonly applies: ((args: readonly Uint8Array[]) => boolean) | undefined;
}

export function milderOf(name: string): Milder | undefined {
  return table[name];
}

/** How many arguments follow an option; `stop` ends the options. */
type Options = Readonly<Record<string, number | 'stop'>>;

/** Whether every word from `from` on is an option of these. */
function onlyOptions(args: readonly Uint8Array[], from: number, options: Options): boolean {
  for (let i = from; i < args.length; i++) {
    const follow = options[word(args[i])];
    if (follow === 'stop') return true;
    if (follow === undefined) return false;
    i += follow;
  }
  return true;
}

const flagWrite = 'has the flag write for its STORE option';
const sortOptions: Options = { ASC: 0, DESC: 0, ALPHA: 0, LIMIT: 2, GET: 1, BY: 1 };
const geoOptions: Options = { WITHDIST: 0, WITHHASH: 0, WITHCOORD: 0, ANY: 0, ASC: 0, DESC: 0, COUNT: 1 };

const table: Readonly<Record<string, Milder>> = {
  XREAD: {
    suffix: 'no BLOCK',
    route: 'read',
    mutates: false,
    why: 'flag readonly, and without BLOCK it answers at once',
    applies: (args) => onlyOptions(args, 1, { COUNT: 1, STREAMS: 'stop' }),
  },
  XREADGROUP: {
    suffix: 'no BLOCK',
    route: 'write',
    mutates: true,
    why: 'flag write, and without BLOCK it answers at once',
    applies: (args) => onlyOptions(args, 1, { GROUP: 2, COUNT: 1, CLAIM: 1, NOACK: 0, STREAMS: 'stop' }),
  },
  SORT: primaryOnly('no STORE', flagWrite, (args) => onlyOptions(args, 2, sortOptions)),
  GEORADIUS: primaryOnly('no STORE', flagWrite, (args) => onlyOptions(args, 6, geoOptions)),
  GEORADIUSBYMEMBER: primaryOnly('no STORE', flagWrite, (args) => onlyOptions(args, 5, geoOptions)),
  BITFIELD: primaryOnly('GET only', 'has the flag write for its other operations', (args) =>
    onlyOptions(args, 2, { GET: 2 }),
  ),
  EVAL: {
    suffix: 'no-writes',
    route: 'scriptRead',
    mutates: false,
    why: 'the script declares flags=no-writes, which the server enforces',
    applies: (args) => declaresNoWrites(args[1]),
  },
  EVALSHA: {
    suffix: 'no-writes',
    route: 'scriptRead',
    mutates: false,
    why: 'its script has passed here and declares flags=no-writes, which the server enforces',
    applies: undefined,
  },
};

/** Replicas refuse the command by its flag whatever its arguments, yet it changes nothing. */
function primaryOnly(suffix: string, why: string, applies: Milder['applies']): Milder {
  return { suffix, route: 'primary', mutates: false, why: `${why}, so replicas refuse it always`, applies };
}

/** `#!lua flags=no-writes,allow-stale` in the first line. */
export function declaresNoWrites(script: Uint8Array | undefined): boolean {
  if (script === undefined || script[0] !== hash || script[1] !== bang) return false;
  const [engine, ...attributes] = firstLine(script).split(/\s+/);
  if (engine !== '#!lua') return false;
  return attributes.some((attribute) => /^flags=(.*,)?no-writes(,|$)/.test(attribute));
}

const hash = 0x23;
const bang = 0x21;
const lf = 0x0a;
const longestShebang = 256;

/** Without a line end there is no shebang, and Redis says so. */
function firstLine(script: Uint8Array): string {
  const end = script.subarray(0, longestShebang).indexOf(lf);
  return end === -1 ? '' : Buffer.from(script.subarray(0, end)).toString('latin1');
}

/** No option is longer. */
const longestOption = 16;

function word(arg: Uint8Array | undefined): string {
  if (arg === undefined || arg.length > longestOption) return '';
  return Buffer.from(arg).toString('latin1').toUpperCase();
}

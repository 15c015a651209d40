/**
 * Programs for comparing two ways to run them: what several clients send, a line each.
 *
 *     GET k                     client `a` sends it and gets one reply
 *     b: GET k                  client `b` does, once `a` has all its replies
 *     ~ BLPOP l 0               its reply is waited for later only, by !receive
 *     3 UNSUBSCRIBE             three frames come back (SUBSCRIBE and kin: counted by themselves)
 *     [clock] PTTL k            with an allowed difference (allowed.ts)
 *     $id := CLIENT ID          what the reply says is kept; $id in later lines stands for it
 *     ECHO @ab*1000             ab, a thousand times
 *     2 !raw "PING\r\nPING\r\n" bytes as they are
 *     1 !burst "QUIT\r\nrest"    bytes that stay together: what follows the end of a connection would meet a reset
 *     b: !receive 2             two frames more (pushes, or what ~ has left)
 *     a: !seen one two          frames up to one that has `one` in it, then up to one with `two`: these two (MONITOR)
 *     !closes                   the server ends the connection: every byte up to then
 *     !leaves                   the client ends it
 *     !blocked 1                nobody sends until so many clients are blocked at the servers
 *
 * Words are quoted as in redis-cli. Lines of one client in a row are pipelined. At its end each client still connected
 * sends one PING more, so that a reply too many is seen too; `!silent` leaves that out.
 */

import { splitWords } from '@outrigger/core/resp';
import { isAllowed } from './allowed.ts';
import type { AllowedName } from './allowed.ts';

export interface Line {
  readonly text: string;
  readonly client: string;
  readonly verb:
    'command' | 'raw' | 'burst' | 'receive' | 'seen' | 'closes' | 'leaves' | 'blocked' | 'silent';
  /** Of a command its arguments, of anything else what stands behind the verb. */
  readonly words: readonly string[];
  readonly replies: number;
  readonly waits: boolean;
  readonly variable: string | undefined;
  readonly allowed: readonly AllowedName[];
}

export interface Program {
  readonly name: string;
  readonly lines: readonly Line[];
}

/** Programs of one family by name, each a text of lines. */
export function programs(family: string, texts: Readonly<Record<string, string>>): Program[] {
  return Object.entries(texts).map(([name, text]) => ({
    name: `${family}: ${name}`,
    lines: text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map(parseLine),
  }));
}

const shape =
  /^(?:([a-z]):\s+)?(~\s+)?(?:\[([^\]]+)\]\s+)?(?:(\d+)\s+)?(?:\$(\w+)\s+:=\s+)?(?:!(\w+)\s*)?(.*)$/;
const verbs: ReadonlySet<string> = new Set([
  'raw',
  'burst',
  'receive',
  'seen',
  'closes',
  'leaves',
  'blocked',
  'silent',
]);

function parseLine(text: string): Line {
  const [, client = 'a', tilde, allowed, count, variable, verb = 'command', rest = ''] =
    shape.exec(text) ?? [];
  if (verb !== 'command' && !verbs.has(verb)) throw new Error(`no such verb: ${text}`);
  const words = splitWords(rest).map((word) => repeated(word.toString('latin1')));
  return {
    text,
    client,
    verb: verb as Line['verb'],
    words,
    replies: count === undefined ? expected(verb, words) : Number(count),
    waits: tilde === undefined,
    variable,
    allowed: (allowed?.split(',') ?? []).map((name) => allowedName(name.trim(), text)),
  };
}

function expected(verb: string, words: readonly string[]): number {
  if (verb === 'receive') return Number(words[0] ?? 0);
  if (verb !== 'command') return 0;
  return /^[ps]?(un)?subscribe$/i.test(words[0] ?? '') ? Math.max(1, words.length - 1) : 1;
}

function repeated(word: string): string {
  const [, unit, times] = /^@(.+)\*(\d+)$/s.exec(word) ?? [];
  return unit === undefined ? word : unit.repeat(Number(times));
}

function allowedName(name: string, line: string): AllowedName {
  if (!isAllowed(name)) throw new Error(`no such allowed difference: ${line}`);
  return name;
}

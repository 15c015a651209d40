/**
 * What the table does not know is asked of the live server: commands of modules, of newer versions, renamed ones.
 *
 * A name is asked for once (COMMAND INFO), when it is first seen; the answer is kept, also that there is none. Whatever
 * stays in doubt is a write. And where the server's own COMMAND is stricter than the table, the server is right.
 */

import type { RespValue } from '@outrigger/core/resp';
import { buildCommands } from './build.ts';
import { byFlags } from './classify.ts';
import type { Classified } from './classify.ts';
import type { Command } from './command.ts';
import { rowsOfReply } from './row.ts';
import type { Row } from './row.ts';
import type { CommandTable } from './table.ts';

/**
 * Names kept of what clients asked for and the table does not hold, and likewise commands learned (subcommands are
 * commands). Redis with all its modules has some 200 more; a client that makes names up can only push out names that
 * do not exist.
 */
export const maxLearnedCommands = 1024;

/** Where the live server describes a command more strictly than the table. */
export interface Difference {
  readonly name: string;
  readonly was: string;
  readonly is: string;
}

export class LiveCommands {
  readonly #table: CommandTable;
  readonly #ask: (name: string) => Promise<RespValue>;
  readonly #known = new Map<string, Command>();
  /** Names that have no command of their own, oldest first. */
  readonly #unknown = new Set<string>();
  readonly #asking = new Map<string, Promise<Command>>();
  #learned = 0;

  /** `ask` sends COMMAND INFO and this name to a server, and resolves to its reply, which may be an error. */
  constructor(table: CommandTable, ask: (name: string) => Promise<RespValue>) {
    this.#table = table;
    this.#ask = ask;
  }

  /** How much of `maxLearnedCommands` is taken: by commands, and by names that have none. For metrics. */
  get kept(): { readonly learned: number; readonly unknown: number } {
    return { learned: this.#learned, unknown: this.#unknown.size };
  }

  /** Of a name (upper case) that the table does not have; undefined: ask with `learn`. */
  known(name: string): Command | undefined {
    return this.#known.get(name) ?? (this.#unknown.has(name) ? this.#table.unknown : undefined);
  }

  /** A learned command by its index, for its name in metrics. */
  at(index: number): Command | undefined {
    for (const command of this.#known.values()) if (command.index === index) return command;
    return undefined;
  }

  /** Never rejects: a server that cannot be asked leaves the command in doubt, and the next one asks again. */
  learn(name: string): Promise<Command> {
    const known = this.known(name);
    if (known !== undefined) return Promise.resolve(known);
    const asked = this.#asking.get(name);
    if (asked !== undefined) return asked;
    const asking = this.#askFor(name).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  /** Takes in a whole COMMAND reply: learns what is new, and routes by it what it describes more strictly. */
  verify(reply: RespValue): Difference[] {
    const rows = rowsOfReply(reply, asked);
    const unknown = rows.filter(({ name }) => this.#table.named(name) === undefined);
    for (const family of families(unknown)) this.#add(family[0]?.name ?? '', family);
    return rows.flatMap((row) => this.#overrule(row) ?? []);
  }

  async #askFor(name: string): Promise<Command> {
    // COMMAND INFO knows subcommands by such names; as the name of a command they are unknown to every server.
    if (name.includes('|')) return this.#table.unknown;
    let reply: RespValue;
    try {
      reply = await this.#ask(name);
    } catch {
      return this.#table.unknown; // Nothing was learned, so nothing is kept; Redis, or the lack of one, answers the client.
    }
    // Any other error is of the moment, and says nothing of the command.
    if (reply.type === 'error' && !/^(NOPERM|ERR) /.test(reply.text)) return this.#table.unknown;
    return this.#add(name, rowsOfReply(reply, asked)) ?? this.#nothing(name);
  }

  /** A server answers for a renamed command with the name it had before. */
  #add(name: string, rows: readonly Row[]): Command | undefined {
    const [row] = rows;
    if (row === undefined) return undefined;
    const command = this.#table.named(row.name) ?? this.known(row.name) ?? this.#build(rows);
    if (command !== undefined && this.#known.size < maxLearnedCommands) this.#known.set(name, command);
    return command;
  }

  #build(rows: readonly Row[]): Command | undefined {
    const built = buildCommands(rows, this.#table.size + this.#learned);
    if (this.#learned + built.size > maxLearnedCommands) return undefined;
    this.#learned += built.size;
    return built.get(rows[0]?.name ?? '');
  }

  #nothing(name: string): Command {
    if (this.#unknown.size >= maxLearnedCommands) {
      for (const oldest of this.#unknown) {
        this.#unknown.delete(oldest);
        break;
      }
    }
    this.#unknown.add(name);
    return this.#table.unknown;
  }

  #overrule(row: Row): Difference | undefined {
    const known = this.#table.named(row.name);
    if (known === undefined) return undefined;
    const live = byFlags(row.flags);
    if (!isStricter(live, known)) return undefined;
    const command = this.#table.overrule(known, { ...live, why: `the server's ${live.why}` }, asked);
    return { name: known.name, was: known.route, is: command.route };
  }
}

const asked = 'asked';

/** Only these follow from flags; the other routes are stricter than any flag. */
const shared: ReadonlySet<string> = new Set(['read', 'scriptRead', 'primary', 'cursor', 'write']);

function isStricter(live: Classified, known: Command): boolean {
  if (!shared.has(known.route) || known.examine !== undefined) return false;
  if (live.route === 'blocking') return true;
  if (live.route !== 'write') return false;
  // That the flags leave a command in doubt says nothing against an override that has a reason.
  return !known.mutates && (live.why === 'flag write' || !known.origin.startsWith('override'));
}

/** Each command with its subcommands. */
function families(rows: readonly Row[]): Row[][] {
  const plain = rows.filter(({ name }) => !name.includes('|'));
  return plain.map((row) => [row, ...rows.filter(({ name }) => name.startsWith(`${row.name}|`))]);
}

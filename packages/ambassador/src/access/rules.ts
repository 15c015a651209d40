/**
 * Which commands a client may send: the lists of the whole, then those of its user; both must let a command pass.
 *
 * In one list an entry for a subcommand counts before one for its container, and a command that neither names is
 * allowed unless there is an `allow` list. Verdicts are kept per command index, so that a command costs one look into
 * an array. They are found when a command is first seen, because commands are still learned while clients are served
 * (commands/live.ts); `readOnly` is judged anew each time, since a live server may correct what the table says of a
 * command.
 */

import type { Command } from '../commands/command.ts';
import type { CommandLists, UserSpec } from '../daemon/config.ts';

/** Which rule refused: a list, or `readOnly`. */
export type Rule = 'command' | 'readOnly';

/** As in Redis, no list takes these away: without them nobody could log in or leave. */
const alwaysAllowed: ReadonlySet<string> = new Set(['AUTH', 'HELLO', 'QUIT', 'RESET']);

export class CommandRules {
  readonly #common: Verdicts;
  readonly #users: ReadonlyMap<string, Verdicts>;
  /** Nothing is refused to anybody. */
  readonly #open: boolean;
  #lastName = '';
  #last: Verdicts | undefined;

  constructor(common: CommandLists, users: readonly UserSpec[]) {
    this.#common = new Verdicts([common]);
    this.#users = new Map(users.map((user) => [user.name, new Verdicts([common, user])]));
    this.#open = users.length === 0 && !this.#common.restrict;
  }

  /**
   * The rule that refuses `command`, or undefined. Hot. `typed` is the name as the client wrote it, upper case, where
   * nobody knows the command: its own name is then none that a list could hold.
   */
  rule(command: Command, userName: string, typed?: string): Rule | undefined {
    if (this.#open) return undefined;
    const verdicts = this.#of(userName);
    return verdicts === undefined ? nobodys(command) : verdicts.rule(command, typed);
  }

  /** The error to answer, without the leading `-`. */
  refusal(command: Command, userName: string, typed?: string): string | undefined {
    if (this.rule(command, userName, typed) === undefined) return undefined;
    const name = (typed ?? plainName(command)).toLowerCase();
    return `NOPERM this user has no permissions to run the '${name}' command`;
  }

  /**
   * Whether anything is refused to this user: then every byte must pass these rules, and a session must not be joined to
   * a server blindly.
   */
  restricts(userName: string): boolean {
    return !this.#open && this.#of(userName)?.restrict !== false;
  }

  /** Every name in the lists that `known` does not know: most likely written wrong. */
  unknownNames(known: (name: string) => boolean): string[] {
    const all = [this.#common, ...this.#users.values()].flatMap((verdicts) => verdicts.names);
    return [...new Set(all)].filter((name) => !known(name));
  }

  /** Sessions of one user come in runs, so the last one is remembered. Undefined: a user that there is no longer. */
  #of(userName: string): Verdicts | undefined {
    if (this.#users.size === 0) return this.#common;
    if (userName !== this.#lastName || this.#last === undefined) {
      this.#lastName = userName;
      this.#last = this.#users.get(userName);
    }
    return this.#last;
  }
}

const unasked = 0;
const allowed = 1;
const refused = 2;

/** What all of these lists let pass. */
class Verdicts {
  readonly restrict: boolean;
  readonly names: readonly string[];
  readonly #lists: readonly Lists[];
  readonly #readOnly: boolean;
  #byIndex = new Uint8Array(1024);

  constructor(lists: readonly CommandLists[]) {
    this.#lists = lists.map(({ allow, deny }) => ({ allow: new Set(allow), deny: new Set(deny) }));
    this.names = lists.flatMap(({ allow, deny }) => [...allow, ...deny]);
    this.#readOnly = lists.some(({ readOnly }) => readOnly);
    this.restrict = this.#readOnly || this.names.length > 0;
  }

  rule(command: Command, typed: string | undefined): Rule | undefined {
    const kept = typed === undefined ? this.#byIndex[command.index] : unasked;
    const verdict = kept === undefined || kept === unasked ? this.#judge(command, typed) : kept;
    if (verdict === refused) return 'command';
    // EXEC only runs what has passed before it.
    return this.#readOnly && command.mutates && command.route !== 'exec' ? 'readOnly' : undefined;
  }

  #judge(command: Command, typed: string | undefined): number {
    const verdict = this.#lists.every((lists) => passes(lists, command, typed ?? plainName(command)))
      ? allowed
      : refused;
    if (typed === undefined) this.#keep(command.index, verdict);
    return verdict;
  }

  #keep(index: number, verdict: number): void {
    if (index >= this.#byIndex.length) {
      const longer = new Uint8Array(2 * index);
      longer.set(this.#byIndex);
      this.#byIndex = longer;
    }
    this.#byIndex[index] = verdict;
  }
}

interface Lists {
  readonly allow: ReadonlySet<string>;
  readonly deny: ReadonlySet<string>;
}

function passes({ allow, deny }: Lists, { route }: Command, name: string): boolean {
  if (alwaysAllowed.has(name)) return true;
  const [container = name] = name.split('|', 1);
  for (const entry of [name, container]) {
    if (deny.has(entry)) return false;
    if (allow.has(entry)) return true;
  }
  // Behind such a command nothing is looked at any longer: where there are rules, it has to be allowed by name.
  const blind = route === 'splice' && deny.size > 0;
  return allow.size === 0 && !blind;
}

/** A session whose user was taken out of the configuration. */
function nobodys(command: Command): Rule | undefined {
  return alwaysAllowed.has(command.name) ? undefined : 'command';
}

/** Without what tells apart the rows of one command: `SORT (no STORE)` is SORT. */
function plainName({ name }: Command): string {
  return name.split(' (', 1)[0] ?? name;
}

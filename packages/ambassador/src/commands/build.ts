/** Rows become commands: each with its route, its keys and, where arguments decide, how they do. */

import { classify, unknownSubcommand } from './classify.ts';
import type { Classified } from './classify.ts';
import type { Command } from './command.ts';
import { milderOf } from './examine.ts';
import { keySpecOf } from './keys.ts';
import type { Row } from './row.ts';

/**
 * Commands by name, subcommands and milder rows among them, indexed from `firstIndex` on. A container looks its
 * subcommands up in this map, so what is replaced in it later is found.
 */
export function buildCommands(rows: readonly Row[], firstIndex: number): Map<string, Command> {
  const commands = new Map<string, Command>();
  const containers = new Set(rows.flatMap(({ name }) => (name.includes('|') ? [containerOf(name)] : [])));
  const add = (row: Row, classified: Classified, examine: Command['examine'], suffix = ''): Command => {
    const command = {
      index: firstIndex + commands.size,
      name: row.name + suffix,
      route: classified.route,
      mutates: classified.mutates,
      keys: keySpecOf(row.name, row.places),
      why: classified.why,
      origin: classified.overridden ? `override; ${row.origin}` : row.origin,
      examine,
    };
    commands.set(command.name, command);
    return command;
  };
  for (const row of rows) {
    const milder = milderOf(row.name);
    if (containers.has(row.name)) {
      const own = classify(row);
      add(row, own.overridden ? own : unknownSubcommand, subcommandOf(row.name, commands));
    } else if (milder === undefined) {
      add(row, classify(row), undefined);
    } else {
      const mild = add(row, { ...milder, overridden: true }, undefined, ` (${milder.suffix})`);
      const { applies } = milder;
      add(row, classify(row), applies && milderIn(row.name, applies, mild, commands));
    }
  }
  return commands;
}

export function containerOf(name: string): string {
  return name.slice(0, name.indexOf('|'));
}

function subcommandOf(name: string, commands: ReadonlyMap<string, Command>): Command['examine'] {
  return ([, sub]) => {
    const container = commands.get(name) as Command;
    if (sub === undefined || sub.length > longestSubcommand) return container;
    return commands.get(`${name}|${sub.toString('latin1').toUpperCase()}`) ?? container;
  };
}

/** Nothing longer is looked up: an argument may be of any size. */
const longestSubcommand = 64;

function milderIn(
  name: string,
  applies: (args: readonly Buffer[]) => boolean,
  mild: Command,
  commands: ReadonlyMap<string, Command>,
): Command['examine'] {
  return (args) => (applies(args) ? mild : (commands.get(name) as Command));
}

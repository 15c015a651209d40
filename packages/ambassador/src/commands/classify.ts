/** How a command is routed: by an override, else by the flags COMMAND gives it, and as a write when they do not tell. */

import type { Route } from './command.ts';
import { overrideOf, restOfContainer } from './overrides.ts';
import type { Row } from './row.ts';

export interface Classified {
  readonly route: Route;
  readonly mutates: boolean;
  readonly why: string;
  readonly overridden: boolean;
}

export function classify(row: Row): Classified {
  const writes = row.flags.includes('write');
  const override = overrideOf(row.name) ?? (writes ? undefined : restOfContainer(row.name));
  return override === undefined ? byFlags(row.flags) : { ...override, overridden: true };
}

export function byFlags(flags: readonly string[]): Classified {
  const has = (flag: string): boolean => flags.includes(flag);
  const by = (route: Route, mutates: boolean, why: string): Classified => ({
    route,
    mutates,
    why,
    overridden: false,
  });
  if (has('blocking')) {
    return has('readonly') && !has('write')
      ? by('blocking', false, 'flags readonly and blocking')
      : by('blocking', true, 'flag blocking');
  }
  if (has('write')) return by('write', true, 'flag write');
  if (has('readonly')) return by('read', false, 'flag readonly');
  return by('write', true, 'in doubt: neither the flag write nor readonly');
}

/** What a container answers for is an error, unless a newer server knows the subcommand. */
export const unknownSubcommand: Classified = {
  route: 'primary',
  mutates: true,
  why: 'in doubt: no subcommand known by this name',
  overridden: false,
};

/** For a command of a name nobody has been able to tell anything of. */
export const unknownCommand: Classified = {
  route: 'write',
  mutates: true,
  why: 'in doubt: the server does not tell of a command of this name',
  overridden: false,
};

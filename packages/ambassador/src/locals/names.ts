/**
 * What a client says of itself: CLIENT SETNAME, GETNAME, SETINFO. A name's suffix chooses what its reads are promised:
 * `reports#eventual`, `#session`, `#primary`; the name is kept whole, and one without a suffix goes back to the default.
 *
 * SETINFO is answered whatever the server's version is (Redis 7.0 knows none): what it sets is shown by our CLIENT LIST.
 */

import type { SessionState } from '../session/state.ts';
import type { LocalAnswer } from './answer.ts';
import { showable, text, word } from './arguments.ts';
import { bulk, error, nothing, ok } from './encode.ts';

export const badName = 'ERR Client names cannot contain spaces, newlines or special characters.';

export function clientSetName(args: readonly Buffer[], session: SessionState): LocalAnswer {
  const name = args[2] as Buffer;
  if (!showable(name)) return { do: 'reply', bytes: error(badName) };
  setName(session, text(name));
  return { do: 'reply', bytes: ok() };
}

/** `name` has been found showable. */
export function setName(session: SessionState, name: string): void {
  const suffix = /#(eventual|session|primary)$/.exec(name)?.[1];
  session.name = name;
  session.consistency = suffix === 'eventual' || suffix === 'session' ? suffix : undefined;
  session.readPolicy = suffix === 'primary' ? 'primary' : undefined;
}

export function clientGetName(session: SessionState): LocalAnswer {
  const { name, identity } = session;
  return { do: 'reply', bytes: name === '' ? nothing(identity.protocol) : bulk(name) };
}

export function clientSetInfo(args: readonly Buffer[], session: SessionState): LocalAnswer {
  const attribute = word(args[2]);
  const value = args[3] as Buffer;
  if (attribute !== 'LIB-NAME' && attribute !== 'LIB-VER') {
    return { do: 'reply', bytes: error(`ERR Unrecognized option '${text(args[2])}'`) };
  }
  if (!showable(value)) {
    const what = text(args[2]);
    return {
      do: 'reply',
      bytes: error(`ERR ${what} cannot contain spaces, newlines or special characters.`),
    };
  }
  if (attribute === 'LIB-NAME') session.libName = text(value);
  else session.libVer = text(value);
  return { do: 'reply', bytes: ok() };
}

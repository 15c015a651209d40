/** CLIENT REPLY: which replies a client does not want. The session engine drops them; here is which. */

import type { SessionState } from '../session/state.ts';
import type { LocalAnswer } from './answer.ts';
import { word } from './arguments.ts';
import { error, ok, silence } from './encode.ts';

/**
 * Whether the reply to the command that begins now is dropped. To be called once for every command, before it is decided:
 * SKIP lasts for one. Pushes are delivered nevertheless.
 */
export function takeMuted(session: SessionState): boolean {
  const muted = session.reply !== 'on';
  if (session.reply === 'skip') session.reply = 'on';
  return muted;
}

/** CLIENT REPLY ON|OFF|SKIP. */
export function clientReply(args: readonly Buffer[], session: SessionState): LocalAnswer {
  switch (word(args[2])) {
    case 'ON':
      session.reply = 'on';
      return { do: 'reply', bytes: ok(), loud: true };
    case 'OFF':
      session.reply = 'off';
      return { do: 'reply', bytes: silence };
    case 'SKIP':
      if (session.reply === 'on') session.reply = 'skip';
      return { do: 'reply', bytes: silence };
    default:
      return { do: 'reply', bytes: error('ERR syntax error') };
  }
}

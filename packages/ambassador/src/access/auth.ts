/**
 * Who checks a client's AUTH.
 *
 * - `users`: the configuration has users. AUTH ends here; the servers see the ambassador's own login alone.
 * - `own`: it has no users, but a password for the servers. Whoever reaches the listener uses that login, without AUTH; a
 *   client that says AUTH nevertheless must say this very login, as it would have to at the server.
 * - `through`: it has neither. AUTH is the server's to judge, and clients of one user share connections of that user.
 */

import type { AmbassadorConfig } from '../daemon/config.ts';
import type { AuthCheck } from '../locals/answer.ts';
import type { Credentials } from '../upstream/credentials.ts';
import { defaultUser, samePassword } from './users.ts';
import type { Users } from './users.ts';

export type AuthMode = 'users' | 'own' | 'through';

export function authMode({ users, login }: Pick<AmbassadorConfig, 'users' | 'login'>): AuthMode {
  if (users.length > 0) return 'users';
  return login.password === undefined ? 'through' : 'own';
}

/** `own` is asked for at each check: a password file may have changed. `onWrong`: a login failed here. */
export function authCheck(
  mode: AuthMode,
  users: Users,
  own: () => Credentials | undefined,
  onWrong: () => void = () => {},
): AuthCheck {
  const counted = (verdict: 'ok' | 'wrong'): 'ok' | 'wrong' => {
    if (verdict === 'wrong') onWrong();
    return verdict;
  };
  switch (mode) {
    case 'users':
      return {
        required: true,
        check: (user = defaultUser, password) => counted(users.verify(user, password)),
        knows: (user) => users.user(user) !== undefined,
      };
    case 'own':
      return {
        required: false,
        check: (user = defaultUser, password) => counted(checkOwn(own(), user, password)),
        knows: (user) => user === nameOf(own()),
      };
    case 'through':
      return { required: false, check: () => 'ask-server' };
  }
}

function checkOwn(own: Credentials | undefined, user: string, password: string): 'ok' | 'wrong' {
  const right = samePassword(password, own?.password ?? '');
  return right && own !== undefined && user === nameOf(own) ? 'ok' : 'wrong';
}

function nameOf(own: Credentials | undefined): string {
  return own?.username ?? defaultUser;
}

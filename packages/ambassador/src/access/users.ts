/** The users that applications log in as when AUTH ends at the ambassador. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { UserSpec } from '../daemon/config.ts';
import type { Secrets } from './secrets.ts';

/** What AUTH with a password alone means. */
export const defaultUser = 'default';

export class Users {
  readonly #users: ReadonlyMap<string, UserSpec>;
  readonly #secrets: Pick<Secrets, 'get'>;

  constructor(users: readonly UserSpec[], secrets: Pick<Secrets, 'get'>) {
    this.#users = new Map(users.map((user) => [user.name, user]));
    this.#secrets = secrets;
  }

  get size(): number {
    return this.#users.size;
  }

  user(name: string): UserSpec | undefined {
    return this.#users.get(name);
  }

  /** A name that does not exist takes as long as a wrong password. */
  verify(name: string, password: string): 'ok' | 'wrong' {
    const user = this.#users.get(name);
    const right = samePassword(password, user === undefined ? '' : this.#secrets.get(user.password));
    return right && user !== undefined ? 'ok' : 'wrong';
  }
}

/** Hashes are compared, so that neither the length nor the first difference shows in the time it takes. */
export function samePassword(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted));
}

function digest(password: string): Buffer {
  return createHash('sha256').update(password).digest();
}

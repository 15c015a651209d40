/** What the tests of guard rails share: a server with a password, the ambassador's users, and the errors they get. */

import { startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { command } from '../session/setting.ts';
import type { Client } from '../session/setting.ts';

export const noAuth = '-NOAUTH Authentication required.\r\n';
export const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
export const noPermission = (name: string): string =>
  `-NOPERM this user has no permissions to run the '${name}' command\r\n`;

/** A server that wants a password. */
export async function startGuarded(t: Teardown): Promise<Redis> {
  return startRedis(t, { config: { requirepass: 'upstream' } });
}

export const environment = { OWN: 'upstream', APP: 'app-password', VIEWER: 'viewer-password' };
export const ownLogin = { passwordFrom: { env: 'OWN' } };
export const users = [
  { name: 'default', passwordFrom: { env: 'APP' } },
  { name: 'viewer', passwordFrom: { env: 'VIEWER' }, readOnly: true, deny: ['KEYS'] },
];

export async function asked(client: Client, ...commands: string[][]): Promise<string[]> {
  client.send(commands.map((words) => command(...words)).join(''));
  return client.replies(commands.length);
}

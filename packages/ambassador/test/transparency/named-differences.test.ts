import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';
import { Connection } from './connection.ts';

const redis = needs('redis-server', 'redis-cli');

/**
 * Where the ambassador answers otherwise than a plain Redis 7.0 on purpose, and what it answers. Everything else is in the
 * programs, which allow no difference but the facts of a connection or a server that allowed.ts names.
 */
const differences: readonly [name: string, commands: string[][], answers: RegExp[]][] = [
  [
    'what would change the session is not queued in a transaction, which fails then',
    [['MULTI'], ['CLIENT', 'SETNAME', 'x'], ['EXEC'], ['CLIENT', 'GETNAME']],
    [/^\+OK/, /^-OUTRIGGER not in a transaction: /, /^-EXECABORT /, /^\$-1/],
  ],
  [
    'so is another protocol',
    [['MULTI'], ['HELLO', '3'], ['EXEC'], ['HGETALL', 'none']],
    [/^\+OK/, /^-OUTRIGGER not in a transaction: /, /^-EXECABORT /, /^\*0/],
  ],
  [
    'and silence',
    [['MULTI'], ['CLIENT', 'REPLY', 'ON'], ['DISCARD']],
    [/^\+OK/, /^-OUTRIGGER not in a transaction: /, /^\+OK/],
  ],
  [
    'CLIENT knows what newer servers know, whatever the server’s version',
    [
      ['CLIENT', 'SETINFO', 'LIB-NAME', 'lib'],
      ['CLIENT', 'INFO'],
    ],
    [/^\+OK/, / lib-name=lib /],
  ],
  [
    'what is answered for the session needs no permission at the server',
    [
      ['ACL', 'SETUSER', 'few', 'on', 'nopass', '~*', '+get', '+acl'],
      ['AUTH', 'few', 'x'],
      ['CLIENT', 'ID'],
      ['SET', 'k', 'v'],
      ['RESET'],
      ['ACL', 'DELUSER', 'few'],
    ],
    [/^\+OK/, /^\+OK/, /^:\d+/, /^-NOPERM /, /^\+RESET/, /^:1/],
  ],
];

test('what differs from a plain Redis, by name', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const { port } = await startAmbassador(t, { primary: primary.address, readPolicy: 'primary' });
  for (const [name, commands, answers] of differences) {
    const client = await Connection.to(port);
    for (const [i, command] of commands.entries()) {
      t.match(await client.ask(...command), answers[i], `${name}: ${command.join(' ')}`);
    }
    client.destroy();
  }
});

/** CLIENT LIST says of a client what a Redis would, field by field. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { Client, command, startAmbassador } from './setting.ts';

/** Those that are about the client, not about the server's connection to it. */
const compared = 'name flags db sub psub ssub multi watch cmd user redir resp'.split(' ');

type Fields = Readonly<Record<string, string>>;

function fieldsOf(list: string, name: string): Fields {
  const line = list.split('\n').find((one) => one.includes(` name=${name} `)) ?? '';
  const all = Object.fromEntries(line.trim().split(' ').map((field) => field.split('=', 2) as [string, string])); // prettier-ignore
  return Object.fromEntries(
    compared.flatMap((field) => (all[field] === undefined ? [] : [[field, all[field]]])),
  );
}

/** What the client sends, and how many replies that has. */
type Step = readonly [replies: number, ...requests: (readonly string[])[]];

const stories: Readonly<Record<string, readonly Step[]>> = {
  'a transaction': [
    [1, ['MULTI']],
    [2, ['SET', 'k', '1'], ['GET', 'k']],
    [1, ['INCR', 'k']],
    [1, ['EXEC']],
  ],
  'a transaction of which something is refused': [
    [3, ['MULTI'], ['SET', 'k'], ['GET', 'k']],
    [1, ['APPEND', 'k']],
    [2, ['GET', 'k'], ['MULTI']],
    [1, ['EXEC']],
    [4, ['GET'], ['MULTI'], ['GET', 'k'], ['GET']],
    [3, ['EXEC'], ['MULTI'], ['GET', 'k']],
    [1, ['DISCARD']],
  ],
  'watched keys': [
    [1, ['WATCH', 'a', 'b']],
    [1, ['WATCH', 'a', 'c']],
    [1, ['MULTI']],
    [1, ['GET', 'a']],
    [1, ['DISCARD']],
    [1, ['WATCH', 'a']],
    [1, ['UNWATCH']],
  ],
  subscriptions: [
    [3, ['SUBSCRIBE', 'a', 'b', 'c']],
    [2, ['PSUBSCRIBE', 'x*', 'y*']],
    [1, ['SUBSCRIBE', 'a']],
    [1, ['SSUBSCRIBE', 's']],
    [1, ['UNSUBSCRIBE', 'b']],
    [2, ['PUNSUBSCRIBE']],
    [2, ['UNSUBSCRIBE']],
    [1, ['SUNSUBSCRIBE']],
    [1, ['GET', 'k']],
  ],
  RESP3: [
    [1, ['HELLO', '3']],
    [1, ['SUBSCRIBE', 'a']],
    [1, ['GET', 'k']],
    [1, ['UNSUBSCRIBE', 'a']],
    [1, ['GET', 'k']],
  ],
  'a command that blocks': [
    [0, ['BLPOP', 'none', '0']],
    [2, ['PING']],
  ],
  'a database of its own': [
    [1, ['SELECT', '3']],
    [1, ['GET', 'k']],
  ],
};

for (const program of ['redis-server', 'redis-8'] as const) {
  for (const [what, steps] of Object.entries(stories)) {
    test(`${program}: ${what}`, needs(program, 'redis-cli'), async (t) => {
      const plain = await startRedis(t, { program });
      const behind = await startRedis(t, { program });
      const amb = await startAmbassador(t, { primary: behind.address });
      const sides: { readonly client: Client; readonly asker: Client }[] = [];
      for (const port of [plain.port, amb.port]) {
        const [client, asker] = [await Client.connect(port), await Client.connect(port)];
        t.teardown(() => [client, asker].forEach((one) => one.destroy()));
        await client.ask('CLIENT', 'SETNAME', 'me');
        sides.push({ client, asker });
      }
      for (const [replies, ...requests] of steps) {
        const last = requests.at(-1)?.join(' ') ?? '';
        // PING ends what blocks.
        for (const { client, asker } of sides) {
          if (last === 'PING') await asker.ask('RPUSH', 'none', '1');
          client.send(requests.map((args) => command(...args)).join(''));
          await client.replies(replies);
        }
        await eventually(`both say the same after ${last}`, async () => {
          const [wanted, got] = await Promise.all(
            sides.map(async ({ asker }) => fieldsOf(await asker.ask('CLIENT', 'LIST'), 'me')),
          );
          // Redis 7.0 has fewer fields.
          const common = Object.fromEntries(Object.keys(wanted ?? {}).map((field) => [field, got?.[field]]));
          if (JSON.stringify(common) === JSON.stringify(wanted)) return true;
          throw new Error(`${JSON.stringify(common)} instead of ${JSON.stringify(wanted)}`);
        });
        t.pass(last);
      }
    });
  }
}

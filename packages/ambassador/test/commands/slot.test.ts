import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { slotCount, slotOf, slotOfRange } from '../../src/commands/slot.ts';
import { askAll } from './asking.ts';

test('known slots, with and without hash tags', (t) => {
  const of = (key: string): number => slotOf(Buffer.from(key));
  t.equal(of('123456789'), 0x31c3 % slotCount, 'the check value of CRC16/XMODEM');
  t.equal(of('foo'), 12182);
  t.equal(of('{foo}.bar'), 12182);
  t.equal(of('a{foo}{bar}'), 12182, 'the first tag counts');
  t.equal(of('{{foo}}'), of('{foo'), 'a tag ends at the first brace');
  t.not(of('{}foo'), of('foo'), 'an empty tag is none');
  t.equal(of(''), 0);
  t.equal(slotOfRange(Buffer.from('..{foo}..}'), 2, 6), of('{foo'), 'braces beyond the key do not count');
  t.end();
});

test('slots are those of CLUSTER KEYSLOT', needs('redis-server'), async (t) => {
  const redis = await startRedis(t, { config: { 'cluster-enabled': 'yes' } });
  const random = seededRandom(3);
  const alphabet = Buffer.from('{}{}ab\0\xff', 'latin1');
  const keys = Array.from({ length: 5000 }, () =>
    Buffer.from(
      Array.from({ length: Math.floor(random.next() * 12) }, () =>
        random.next() < 0.5
          ? (alphabet[Math.floor(random.next() * alphabet.length)] as number)
          : Math.floor(random.next() * 256),
      ),
    ),
  );
  const replies = await askAll(
    redis,
    keys.map((key) => ['CLUSTER', 'KEYSLOT', key]),
  );
  const wrong = keys.filter((key, i) => {
    const reply = replies[i];
    return reply?.type !== 'integer' || reply.value !== slotOf(key);
  });
  t.same(wrong, []);
});

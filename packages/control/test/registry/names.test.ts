import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { generateName, uuid } from '../../src/registry/names.ts';

test('UUIDs are of version 4 and differ', (t) => {
  const random = seededRandom(7);
  const many = Array.from({ length: 1_000 }, () => uuid(random));
  for (const one of many)
    t.match(one, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal(new Set(many).size, many.length);
  t.equal(uuid(seededRandom(7)), many[0], 'the same seed gives the same');
  t.end();
});

test('generated names fit', (t) => {
  const random = seededRandom(7);
  t.match(generateName('web-', random), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  t.equal(generateName('x'.repeat(100), random).length, 63);
  t.end();
});

import { test } from 'tap';
import { FamilyBuilder } from '../../src/sources/families.ts';

const one = { name: 'one', type: 'gauge', help: 'One.' } as const;
const two = { name: 'two', type: 'histogram', help: 'Two.' } as const;

test('families and samples keep the order in which they came, and the first of two alike', (t) => {
  const builder = new FamilyBuilder();
  t.ok(builder.add(two, 1, [['le', '1']], '_bucket'));
  t.ok(builder.add(one, 2));
  t.ok(builder.add(two, 3, [], '_sum'));
  t.ok(builder.add(two, 3, [], '_count'), 'the suffix tells them apart');
  t.notOk(builder.add(one, 4));
  t.notOk(builder.add({ ...one, help: 'Other.' }, 5));
  t.same(
    builder.families().map(({ name, help, samples }) => [name, help, samples.map(({ value }) => value)]),
    [
      ['two', 'Two.', [1, 3, 3]],
      ['one', 'One.', [2]],
    ],
  );
  t.end();
});

test('values that hold whatever stands between them are told apart', (t) => {
  const builder = new FamilyBuilder();
  const sets = [
    [['a', '1:x\nb=1:y']],
    [
      ['a', 'x'],
      ['b', 'y'],
    ],
    [
      ['a', 'x\nb=1:y'],
      ['b', ''],
    ],
    [['a', 'x']],
    [],
  ] as const;
  for (const labels of sets) t.ok(builder.add(one, 1, labels));
  for (const labels of sets) t.notOk(builder.add(one, 1, labels));
  t.end();
});

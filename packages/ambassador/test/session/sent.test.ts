import { test } from 'tap';
import { Sent } from '../../src/session/sent.ts';
import { command } from './setting.ts';

test('answers are matched to requests in order, with the time each took', async (t) => {
  const sent = new Sent();
  const times: number[] = [];
  sent.add();
  sent.add();
  sent.flush(1000, undefined);
  sent.add();
  sent.flush(2000, undefined);
  sent.flush(2500, undefined);
  t.equal(sent.count, 3);
  sent.answered(1, 3000, (seconds) => void times.push(seconds));
  sent.answered(2, 4000, (seconds) => void times.push(seconds));
  t.strictSame(times, [2, 3, 2]);
  t.equal(sent.count, 0);
});

test('what is repeated is exactly what has no answer', async (t) => {
  const sent = new Sent();
  const run = [command('GET', 'a'), command('GET', 'b'), command('GET', 'c')];
  for (let i = 0; i < 3; i++) sent.add();
  sent.flush(0, Buffer.from(run.join('')));
  sent.add();
  sent.flush(0, Buffer.from(command('GET', 'd')));
  t.equal(sent.keptBytes, 4 * 20);
  sent.answered(2, 1, () => {});
  const owed = sent.takeAll();
  t.equal(owed.count, 2);
  t.equal(Buffer.from(owed.bytes).toString(), run[2] + command('GET', 'd'));
  t.equal(owed.repeated, false);
  t.equal(sent.count + sent.keptBytes, 0);
  sent.addRepeated(owed, 5);
  t.equal(sent.count, 2);
  t.equal(sent.takeAll().repeated, true);
});

test('bytes kept are released with their answers', async (t) => {
  const sent = new Sent();
  sent.add();
  sent.flush(0, Buffer.from(command('GET', 'a')));
  t.equal(sent.keptBytes, 20);
  sent.answered(1, 0, () => {});
  t.equal(sent.keptBytes, 0);
});

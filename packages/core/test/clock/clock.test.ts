import { FakeClock, jitter, seededRandom, systemClock, systemRandom } from '@outrigger/core/clock';
import { test } from 'tap';

test('the fake clock fires timers in order and only when time passes', async (t) => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.setTimeout(() => fired.push('b'), 20);
  clock.setTimeout(() => {
    fired.push(`a@${clock.now()}`);
    clock.setTimeout(() => fired.push('nested'), 5);
  }, 10);
  clock.setTimeout(() => fired.push('never'), 15).cancel();
  await clock.advance(9);
  t.same(fired, []);
  await clock.advance(11);
  t.same(fired, ['a@10', 'nested', 'b']);
  t.equal(clock.pending, 0);
  t.equal(clock.wall() - new FakeClock().wall(), 20);
});

for (const [name, clock] of [
  ['fake', new FakeClock()],
  ['system', systemClock()],
] as const) {
  test(`${name}: sleep resolves, or rejects with the signal's reason and leaves no timer`, async (t) => {
    const controller = new AbortController();
    const cut = clock.sleep(1e9, controller.signal);
    controller.abort(new Error('enough'));
    await t.rejects(cut, { message: 'enough' });
    await t.rejects(clock.sleep(1, controller.signal), { message: 'enough' });
    const keepAlive = setInterval(() => {}, 1000);
    const slept = clock.sleep(1);
    if (clock instanceof FakeClock) await clock.advance(1);
    await slept;
    clearInterval(keepAlive);
    if (clock instanceof FakeClock) t.equal(clock.pending, 0);
  });
}

test('a seed replays, another seed differs, values are in [0, 1)', (t) => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 500 }, () => random.next());
  };
  t.same(draw(3), draw(3));
  t.notSame(draw(3), draw(4));
  t.ok(draw(5).every((value) => value >= 0 && value < 1));
  const mean = draw(6).reduce((sum, value) => sum + value, 0) / 500;
  t.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`);
  const late = jitter(100, 0.5, systemRandom());
  t.ok(late >= 100 && late < 150);
  t.end();
});

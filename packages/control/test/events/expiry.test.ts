import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { formatTime } from '@outrigger/core/api';
import { eventually } from '@outrigger/core/testing';
import { mergePatch, startControl } from '../harness.ts';
import type { Control } from '../harness.ts';

const events = '/api/v1/namespaces/default/events';
const minute = 60_000;

const event = (name: string, lastTimestamp: string) => ({
  metadata: { name },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
  reason: 'Tested',
  lastTimestamp,
});

async function names(control: Control): Promise<string> {
  const { items } = (await control.get(events)).body as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name).join(' ');
}

test('an Event goes an hour after it last happened', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  for (const name of ['again', 'once']) await control.post(events, event(name, formatTime(clock.wall())));
  await clock.advance(40 * minute);
  const happened = { lastTimestamp: formatTime(clock.wall()), count: 2 };
  await control.request('PATCH', `${events}/again`, happened, mergePatch);
  await clock.advance(19 * minute);
  t.equal(await names(control), 'again once');
  await clock.advance(3 * minute);
  await eventually('one is left', async () => (await names(control)) === 'again');
  await clock.advance(60 * minute);
  await eventually('none is left', async () => (await names(control)) === '');
});

/** Which change a write makes known: the oldest that was not known before. */

import { test } from 'tap';
import { podRecord } from '../../../src/controllers/pod-record.ts';
import { TriggerTimes } from '../../../src/controllers/slices/trigger-time.ts';
import { podObject, serviceObject } from '../lab.ts';

const start = Date.parse('2026-01-01T00:00:00Z');

function service(created: string) {
  const object = serviceObject('web');
  return { ...object, metadata: { ...object.metadata, creationTimestamp: created } };
}

function pod(name: string, changed: string | undefined) {
  return { ...podRecord(podObject(name)), readyChanged: changed };
}

test('a new Service, then its pods', async (t) => {
  const times = new TriggerTimes(start);
  const web = service('2026-01-01T00:01:00Z');
  const look = (...pods: ReturnType<typeof pod>[]): string | undefined => {
    const { time, commit } = times.look(web, pods, false);
    commit();
    return time;
  };
  t.equal(look(), '2026-01-01T00:01:00Z', 'its creation');
  t.equal(look(), undefined, 'nothing new');
  t.equal(
    look(pod('a', '2026-01-01T00:02:00Z'), pod('b', '2026-01-01T00:03:00Z')),
    '2026-01-01T00:02:00Z',
    'the older',
  );
  t.equal(
    look(pod('a', '2026-01-01T00:02:00Z'), pod('b', '2026-01-01T00:04:00Z')),
    '2026-01-01T00:04:00Z',
    'the new one',
  );
  t.equal(look(pod('a', '2026-01-01T00:02:00Z')), undefined, 'a deletion has no time');
  t.equal(look(pod('a', 'nonsense'), pod('c', undefined)), undefined);
});

test('what was not written is told again', async (t) => {
  const times = new TriggerTimes(start);
  const web = service('2026-01-01T00:01:00Z');
  times.look(web, [], false).commit();
  const pods = [pod('a', '2026-01-01T00:02:00Z')];
  t.equal(times.look(web, pods, true).time, '2026-01-01T00:02:00Z');
  t.equal(times.look(web, pods, true).time, '2026-01-01T00:02:00Z', 'the write failed');
  times.look(web, pods, true).commit();
  t.equal(times.look(web, pods, true).time, undefined);
});

test('a restart does not tell old changes as new ones', async (t) => {
  const times = new TriggerTimes(start);
  const web = service('2025-06-01T00:00:00Z');
  const pods = [pod('old', '2025-06-02T00:00:00Z'), pod('new', '2026-01-01T00:00:30Z')];
  t.equal(times.look(web, pods, true).time, '2026-01-01T00:00:30Z');
  t.equal(
    times.look(web, pods, false).time,
    '2025-06-01T00:00:00Z',
    'but what has no slice yet was never told',
  );
});

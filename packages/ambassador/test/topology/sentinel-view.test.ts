import { test } from 'tap';
import { chooseView, namesOf, readEvent, readView } from '../../src/topology/sentinel-view.ts';
import type { SentinelView } from '../../src/topology/sentinel-view.ts';

const view = (sentinel: string, primary: string, epoch: number, leads = false): SentinelView => ({
  sentinel,
  primary,
  epoch,
  leads,
  replicas: [],
  sentinels: [],
});

test('replies are read', async (t) => {
  const read = readView('s:1', {
    address: ['10.0.0.1', '6379'],
    master: ['name', 'main', 'flags', 'master,failover_in_progress', 'config-epoch', '7'],
    replicas: [
      ['name', 'x', 'ip', '10.0.0.2', 'port', '6380', 'flags', 'slave,s_down'],
      ['ip', 'fd00::3', 'port', '6381'],
    ],
    sentinels: [['ip', 'sentinel-2', 'port', '26379']],
  });
  t.strictSame(read, {
    sentinel: 's:1',
    primary: '10.0.0.1:6379',
    epoch: 7,
    leads: true,
    replicas: ['10.0.0.2:6380', '[fd00::3]:6381'],
    sentinels: ['sentinel-2:26379'],
  });
  t.match(readView('s', { address: ['h', '1'], master: [], replicas: [], sentinels: [] }), {
    epoch: 0,
    leads: false,
  });
  t.strictSame(namesOf([['name', 'a'], ['name', 'b'], []]), ['a', 'b', '']);
});

test('the newest epoch counts, then who leads a failover, then the most', async (t) => {
  const chosen = (...views: SentinelView[]): string | undefined => chooseView(views)?.primary;
  t.equal(chosen(), undefined);
  t.equal(chosen(view('1', 'old', 4), view('2', 'old', 4), view('3', 'new', 5)), 'new');
  t.equal(chosen(view('1', 'old', 4), view('2', 'old', 4), view('3', 'new', 4, true)), 'new');
  t.equal(chosen(view('1', 'odd', 4), view('2', 'most', 4), view('3', 'most', 4)), 'most');
});

test('events about our primary are told from others', async (t) => {
  t.strictSame(readEvent('+switch-master', 'main 10.0.0.1 6379 10.0.0.2 6380', 'main'), {
    name: 'switch-master',
    switched: { from: '10.0.0.1:6379', to: '10.0.0.2:6380' },
  });
  t.equal(readEvent('+switch-master', 'other 10.0.0.1 6379 10.0.0.2 6380', 'main'), undefined);
  t.equal(readEvent('+switch-master', 'main 10.0.0.1', 'main'), undefined);
  t.match(readEvent('-sdown', 'master main 10.0.0.1 6379', 'main'), { name: 'sdown' });
  const slave = 'slave 10.0.0.2:6380 10.0.0.2 6380 @ main 10.0.0.1 6379';
  t.match(readEvent('+slave', slave, 'main'), { name: 'slave' });
  t.equal(readEvent('+slave', slave, 'other'), undefined);
  t.strictSame(readEvent('+failover-state-wait-promotion', slave, 'main'), {
    name: 'failover-state-wait-promotion',
    told: { from: '10.0.0.1:6379', to: '10.0.0.2:6380' },
  });
  t.equal(readEvent('+tilt', '#tilt mode entered', 'main'), undefined);
});

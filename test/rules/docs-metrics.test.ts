/** docs/metrics.md lists every metric the daemons show, with its type and labels, and none that is gone. */

import dgram from 'node:dgram';
import { once } from 'node:events';
import { adapterDaemon } from '@outrigger/adapter';
import { ambassadorDaemon } from '@outrigger/ambassador';
import { controlDaemon } from '@outrigger/control';
import { loadConfig } from '@outrigger/core/config';
import type { Daemon, DaemonDefinition } from '@outrigger/core/lifecycle';
import { testDeps } from '@outrigger/core/testing';
import { proxyDaemon } from '@outrigger/proxy';
import { test } from 'tap';
import { report } from './problems.ts';
import type { Problem } from './problems.ts';
import { files } from './tree.ts';

const PATH = 'docs/metrics.md';
const ANY = '127.0.0.1:0';

interface Metric {
  readonly name: string;
  readonly type: string;
}

test('the page and the daemons know the same metrics', async (t) => {
  const shown = await metricsOfDaemons((step) => t.teardown(step));
  const [page] = files(PATH);
  const rows = (page?.lines ?? []).flatMap((text, index) => {
    const found = /^\| `([a-z_]+)` \| (\w+) \|/.exec(text);
    return found === null ? [] : [{ name: found[1] ?? '', type: found[2] ?? '', line: index + 1 }];
  });
  const problems: Problem[] = [
    ...shown
      .filter(({ name, type }) => !rows.some((row) => row.name === name && row.type === type))
      .map(({ name, type }) => ({ path: PATH, line: 1, what: `${type} ${name} has no row. Add one.` })),
    ...rows
      .filter(({ name, type }) => !shown.some((one) => one.name === name && one.type === type))
      .map(({ name, type, line }) => ({
        path: PATH,
        line,
        what: `no daemon shows a ${type} ${name}. Remove or mend the row.`,
      })),
  ];
  report(t, 'metrics', problems);
});

type Undo = (step: () => unknown) => void;

async function metricsOfDaemons(undo: Undo): Promise<Metric[]> {
  const pages: string[] = [];
  const run = async (definition: unknown, document: Record<string, unknown>): Promise<Daemon> => {
    const { schema, checks, parse, start } = definition as DaemonDefinition<unknown>;
    const deps = testDeps();
    const { values } = loadConfig({
      schema,
      checks,
      args: [],
      environment: {},
      source: { name: 'test', document },
    });
    const daemon = await start(parse(values), deps);
    undo(() => daemon.close());
    pages.push(await deps.metrics.page());
    return daemon;
  };
  const { addresses } = await run(controlDaemon, { listen: ANY, memory: true });
  const connection = { control: [`http://${addresses['api']}`] };
  await run(proxyDaemon, { ...connection, admin: ANY, publish: [`default/web=${ANY}`] });
  await run(ambassadorDaemon, { listen: ANY, admin: ANY, primary: '127.0.0.1:1' });
  const { addresses: at } = await run(adapterDaemon, {
    ...connection,
    listen: ANY,
    admin: ANY,
    statsdUdp: ANY,
    statsdTcp: ANY,
  });
  pages.push(await scrapePage(at));
  const own = metricsIn(pages.join('')).filter(({ name }) => name.startsWith('outrigger_'));
  return [...new Map(own.map((metric) => [metric.name, metric])).values()];
}

/** The adapter counts what it has met, so it is sent one good line and one bad one. */
async function scrapePage(addresses: Readonly<Record<string, string>>): Promise<string> {
  const [host = '', port = ''] = (addresses['statsd-udp'] ?? '').split(':');
  const socket = dgram.createSocket('udp4');
  for (;;) {
    socket.send('good:1|c\nbad', Number(port), host);
    const page = await (await fetch(`http://${addresses['scrape']}/metrics`)).text();
    if (!page.includes('outrigger_adapter_statsd_errors_total')) continue;
    socket.close();
    await once(socket, 'close');
    return page;
  }
}

function metricsIn(page: string): Metric[] {
  return [...page.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => ({ name, type }));
}

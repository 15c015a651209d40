/** `outrigger why …`: asks the daemon that decided, on its admin address, and prints its reasons. */

import { InvalidConfig, loadConfig } from '@outrigger/core/config';
import type { LineExplanation } from '@outrigger/adapter';
import type { Explanation } from '@outrigger/ambassador';
import { boolean, object, string } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import type { ServiceReport } from '@outrigger/proxy';
import { renderMetric } from './metric.ts';
import { renderRedis } from './redis.ts';
import { renderService } from './render.ts';

const usage = `usage: outrigger why svc NS/NAME[:PORT] [--from IP] [--admin HOST:PORT]    of a proxy     (default 127.0.0.1:10256)
       outrigger why redis 'GETEX k' [--admin HOST:PORT]                    of an ambassador (default 127.0.0.1:9121);
                                 text on a terminal, else JSON; --json: always
       outrigger why metric 'a.b:1|c' [--admin HOST:PORT]                   of an adapter  (default 127.0.0.1:9103);
                                 text on a terminal, else JSON; --json: always
`;

const schema = object({
  from: string('source address'),
  admin: string('admin address of the daemon'),
  json: boolean('the whole answer, as JSON', { default: false }),
});

interface Subject {
  readonly admin: string;
  readonly query: (what: string, from: string | undefined) => Record<string, string>;
  readonly render: (answer: unknown) => string;
}

const asJson = (answer: unknown): string => `${JSON.stringify(answer, null, 2)}\n`;

const subjects: Readonly<Record<string, Subject>> = {
  svc: {
    admin: '127.0.0.1:10256',
    query: (what, from) => ({ service: what, ...(from === undefined ? {} : { from }) }),
    render: (answer) => renderService(answer as ServiceReport & { source: string }),
  },
  redis: {
    admin: '127.0.0.1:9121',
    query: (what) => ({ command: what }),
    render: (answer) => (process.stdout.isTTY ? renderRedis(answer as Explanation) : asJson(answer)),
  },
  metric: {
    admin: '127.0.0.1:9103',
    query: (what) => ({ line: what }),
    render: (answer) => (process.stdout.isTTY ? renderMetric(answer as LineExplanation) : asJson(answer)),
  },
};

export async function why(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const [name = '', what = '', ...flags] = args;
  const subject = subjects[name];
  if (subject === undefined || what === '' || what.startsWith('--')) {
    throw new InvalidConfig([
      {
        path: 'why',
        got: [name, what].join(' ').trim() || 'nothing',
        want: 'svc NS/NAME, redis COMMAND or metric LINE',
      },
    ]);
  }
  // OUTRIGGER_ADMIN names where a daemon listens, not which one is asked: only flags count here.
  const { values } = loadConfig({ schema, args: flags, environment: {} });
  const admin = (values['admin'] as string | undefined) ?? subject.admin;
  const query = new URLSearchParams(subject.query(what, values['from'] as string | undefined));
  const render = values['json'] === true ? asJson : subject.render;
  process.stdout.write(render(await ask(admin, query)));
  return 0;
}

async function ask(admin: string, query: URLSearchParams): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`http://${admin}/debug/why?${query.toString()}`);
  } catch (cause) {
    throw new OutriggerError(`nothing answers at ${admin}`, {
      code: 'WHY_UNREACHABLE',
      target: admin,
      hint: 'name the admin address of the running daemon with --admin',
      cause,
    });
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as unknown;
  throw new OutriggerError(text.trim(), { code: 'WHY_REFUSED', target: admin });
}

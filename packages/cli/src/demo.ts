/** `npm start`: the whole mesh on this machine with a live view, or (`--once`) its story told and checked unattended. */

import { stripVTControlCharacters } from 'node:util';
import { describeError } from '@outrigger/core/errors';
import { gatherFacts } from './demo/facts.ts';
import { anyPorts, DemoMesh, friendlyPorts } from './demo/mesh.ts';
import { tellOnce } from './demo/once.ts';
import { keepRequesting, newCounts } from './demo/traffic.ts';
import { renderView } from './demo/view.ts';
import type { Places } from './demo/view.ts';
import { waitForSignal } from './run/signals.ts';

const usage = `usage: npm start [-- --once]

  --once    run the story unattended: send traffic, kill a backend, restart the control service; exit 0 when no request failed
`;

/** How often the view is drawn anew. */
const drawMs = 500;
/** A request to each of the mesh's users now and then, so that there is something to see. */
const trafficPauseMs = 100;

process.exitCode = await main(process.argv.slice(2));
process.stdout.write('', () => process.exit());

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = args.filter((arg) => arg !== '--once');
  if (unknown.length > 0) {
    process.stderr.write(`npm start: ${unknown.join(' ')} is not known\n\n${usage}`);
    return 2;
  }
  return args.includes('--once') ? once() : live();
}

async function once(): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const log: string[] = [];
  const mesh = new DemoMesh({
    onProgress: (text) => say(`… ${text}`),
    onLine: (name, line) => void log.push(`${name}: ${line}`),
  });
  let good = false;
  try {
    const story = mesh.start(anyPorts).then(() => tellOnce(mesh, say));
    good = await Promise.race([story, waitForSignal().then((signal) => interrupted(signal, story))]);
  } catch (error) {
    say(`✘ ${describeError(error)}`);
  } finally {
    await mesh.stop();
  }
  if (!good)
    say(
      `what the processes said last:\n${log
        .slice(-40)
        .map((line) => `  ${line}`)
        .join('\n')}`,
    );
  return good ? 0 : 1;
}

function interrupted(signal: string, story: Promise<boolean>): boolean {
  // What is being torn down fails, and that is no news.
  story.catch(() => {});
  process.stdout.write(`${signal}: ending it all\n`);
  return false;
}

async function live(): Promise<number> {
  const terminal = process.stdout.isTTY;
  const events: string[] = [];
  const note = (text: string): void => {
    events.push(text);
    if (!terminal) process.stdout.write(`${text}\n`);
  };
  const mesh = new DemoMesh({
    onProgress: (text) => {
      note(text);
      if (terminal) process.stdout.write(`… ${text}\n`);
    },
    onLine: (name, line) => void (isNoteworthy(line) && events.push(`${name}: ${line}`)),
  });
  const ended = waitForSignal();
  try {
    const starting = mesh.start(friendlyPorts);
    if ((await Promise.race([starting.then(() => 'started'), ended])) === 'started')
      await show(mesh, events, terminal, ended);
    // Ended while it was starting: what is being torn down fails, and that is no news.
    else starting.catch(() => {});
    return 0;
  } catch (error) {
    process.stderr.write(`npm start: ${describeError(error)}\n`);
    return 1;
  } finally {
    process.stdout.write('ending everything…\n');
    await mesh.stop();
  }
}

async function show(
  mesh: DemoMesh,
  events: readonly string[],
  terminal: boolean,
  ended: Promise<string>,
): Promise<void> {
  const places = placesOf(mesh);
  const stop = keepRequesting(places.web, newCounts(), trafficPauseMs);
  // The alternate screen: what was in the terminal before comes back at the end.
  if (terminal) process.stdout.write('\u001b[?1049h\u001b[?25l');
  let over = false;
  void ended.then(() => (over = true));
  let last = '';
  while (!over) {
    const size = { columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 };
    const lines = renderView(
      await gatherFacts(mesh),
      places,
      events,
      terminal ? size : { columns: 200, rows: 24 },
    );
    const text = lines.join('\n');
    if (terminal)
      process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`);
    else if (last === '') process.stdout.write(`${stripVTControlCharacters(text)}\n`);
    last = text;
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, drawMs))]);
  }
  if (terminal) process.stdout.write('\u001b[?25h\u001b[?1049l');
  await stop();
}

function placesOf(mesh: DemoMesh): Places {
  return {
    control: mesh.controlUrl,
    web: mesh.proxy?.addresses['default/web:http'] ?? '',
    scrape: mesh.adapter?.addresses['scrape'] ?? '',
    redis: mesh.ambassador?.addresses['redis'],
    redisMissing:
      mesh.ambassador === undefined
        ? 'left out: redis-server is not installed (apt-get install redis-server)'
        : undefined,
  };
}

/** The daemons' warnings and errors; their ordinary talk would drown them. */
function isNoteworthy(line: string): boolean {
  return /"level":"(warn|error)"/.test(line);
}

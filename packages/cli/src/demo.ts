/** `npm start`: the whole mesh on this machine with a live view, or (`--once`) its story told and checked unattended. */

import { describeError } from '@outrigger/core/errors';
import { LiveDemo } from './demo/live.ts';
import { anyPorts, DemoMesh, friendlyPorts } from './demo/mesh.ts';
import { tellOnce } from './demo/once.ts';
import { waitForSignal } from './run/signals.ts';

const usage = `usage: npm start [-- --once]

  --once    run the story unattended: send traffic, kill a backend, restart the control service; exit 0 when no request failed
`;

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
  const events: string[] = [];
  const mesh = new DemoMesh({
    onProgress: (text) => void process.stdout.write(`… ${text}\n`),
    onLine: (name, line) => void (isNoteworthy(line) && events.push(`${name}: ${line}`)),
  });
  const ended = waitForSignal();
  try {
    const starting = mesh.start(friendlyPorts);
    const first = await Promise.race([starting.then(() => 'started'), ended]);
    if (first === 'started') await new LiveDemo(mesh, events, process.stdout, ended).run();
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

/** The daemons' warnings and errors; their ordinary talk would drown them. */
function isNoteworthy(line: string): boolean {
  return / (WARN|ERROR) /.test(line);
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';

const demo = join(import.meta.dirname, '../../packages/cli/dist/demo.js');
const built = existsSync(demo) ? {} : { skip: 'packages/cli is not built: run `npm run build`' };

test('npm start -- --once tells its story and ends with 0', { ...built, timeout: 120_000 }, (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [demo, '--once'], { encoding: 'utf8' });
  t.comment(stdout);
  t.equal(status, 0, stdout + stderr);
  t.match(stdout, /✔ three backends registered themselves and are ready/);
  t.match(stdout, /✔ \d+ requests, none failed/);
  t.notMatch(stdout, /✘/);
  t.end();
});

test('what it does not know is refused with its usage', built, (t) => {
  const { status, stderr } = spawnSync(process.execPath, [demo, '--twice'], { encoding: 'utf8' });
  t.equal(status, 2);
  t.match(stderr, /--twice is not known/);
  t.end();
});

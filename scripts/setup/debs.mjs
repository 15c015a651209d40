/**
 * Programs of newer Debian suites, unpacked into the cache folder and never installed: kubectl in two versions, etcd,
 * Redis and Valkey.
 *
 * apt itself fetches them, with lists and sources of our own beside the system's: the mirror, proxy and credentials are
 * those the machine is configured with, and apt checks the signatures. Nothing of the system is changed, so no root.
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { command, tail } from './command.mjs';
import { withLock } from './lock.mjs';
import { cacheDir } from './paths.mjs';
import { step } from './say.mjs';
import { writeStarter } from './starter.mjs';

const KEYRINGS = ['gpg', 'pgp'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);
const FETCH_LIMIT_MS = 5 * 60_000;
/** After a failure, so that working offline does not cost a time-out in every run. CI always tries. */
const RETRY_AFTER_MS = 60 * 60_000;

/** Resolves to the problems left: `{ names, reason }`. */
export async function ensureUnpacked(table) {
  const folder = join(cacheDir(), 'tools');
  if (missingOf(table, folder).length === 0) return [];
  return withLock('tools', async () => {
    const names = missingOf(table, folder);
    if (names.length === 0) return [];
    const reason = (await whyNotHere()) ?? recentFailure(folder) ?? (await tryToFetch(table, names, folder));
    const left = missingOf(table, folder);
    return left.length === 0 ? [] : [{ names: left, reason: reason ?? 'not there after unpacking' }];
  });
}

function missingOf(table, folder) {
  return Object.keys(table).filter((name) => !existsSync(join(folder, name, table[name].file)));
}

async function whyNotHere() {
  if (!existsSync('/usr/bin/apt-get')) return 'fetched from Debian with apt, which is not here';
  if (!KEYRINGS.some((path) => existsSync(path))) {
    return "Debian's archive keys are needed to check it: apt-get install -y debian-archive-keyring";
  }
  if ((await mirror()) === undefined) {
    return 'apt knows no Debian mirror here; name one with OUTRIGGER_DEBIAN_MIRROR=URL and run again';
  }
  return undefined;
}

/** The mirror this machine takes its Debian packages from. */
async function mirror() {
  if (process.env.OUTRIGGER_DEBIAN_MIRROR) return process.env.OUTRIGGER_DEBIAN_MIRROR;
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(osRelease())?.[1];
  if (!/^ID=debian$/m.test(osRelease()) || codename === undefined) return undefined;
  const args = ['indextargets', '--format', '$(CODENAME) $(RELEASE) $(SITE)', 'Created-By: Packages'];
  const { output } = await command('apt-get', args, { timeoutMs: 30_000 });
  const rows = output.split('\n').map((row) => row.trim().split(' '));
  return rows.find((row) => row.slice(0, -1).includes(codename))?.at(-1);
}

function osRelease() {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8').replaceAll('"', '') : '';
}

function recentFailure(folder) {
  if (process.env.CI) return undefined;
  const made = statSync(join(folder, 'failed'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - made > RETRY_AFTER_MS) return undefined;
  return `${readFileSync(join(folder, 'failed'), 'utf8')} (not tried again within the hour; to try now: rm ${join(folder, 'failed')})`;
}

/** Resolves to what failed, or undefined. */
async function tryToFetch(table, names, folder) {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'failed'), { force: true });
  try {
    await step(`Unpacking ${names.join(', ')} from Debian's newer suites`, () =>
      fetchAll(table, names, folder),
    );
    return undefined;
  } catch (error) {
    writeFileSync(join(folder, 'failed'), error.message);
    return error.message;
  }
}

/** Suites are read one after another, and only while something is still to be found: each list is 10 MB. */
async function fetchAll(table, names, folder) {
  const work = join(folder, `.fetch-${process.pid}`);
  try {
    const site = await mirror();
    let left = names;
    for (const suite of new Set(names.flatMap((name) => table[name].suites))) {
      const here = left.filter((name) => table[name].suites.includes(suite));
      if (here.length === 0) continue;
      const found = await fetchFrom(join(work, suite), { site, suite, names: here, table, folder });
      left = left.filter((name) => !found.includes(name));
    }
    if (left.length > 0) throw new Error(`no Debian suite looked at holds ${left.join(', ')}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Resolves to the names whose series this suite holds, now unpacked. */
async function fetchFrom(work, { site, suite, names, table, folder }) {
  const env = aptEnvironment(work, `${site} ${suite}`);
  await must('apt-get', ['update'], { env });
  const found = [];
  for (const name of names) {
    const { package: debian, series, libraries = [], start } = table[name];
    const { output } = await must('apt-cache', ['madison', debian], { env });
    const version = output
      .split('\n')
      .map((row) => row.split('|')[1]?.trim() ?? '')
      .find((candidate) => candidate.startsWith(series));
    if (version === undefined) continue;
    const packages = [`${debian}=${version}`, ...libraries];
    await unpack(work, { env, packages, start, into: join(folder, name) });
    found.push(name);
  }
  return found;
}

/** The folder appears complete or not at all. Libraries are those of the program's own suite. */
async function unpack(work, { env, packages, start, into }) {
  const download = join(work, 'download');
  mkdirSync(download, { recursive: true });
  const unpacked = join(work, 'unpacked');
  await must('apt-get', ['download', ...packages], { env, cwd: download });
  for (const file of readdirSync(download)) {
    await must('dpkg-deb', ['-x', join(download, file), unpacked], {});
  }
  if (start !== undefined) writeStarter(unpacked, start);
  rmSync(into, { recursive: true, force: true });
  renameSync(unpacked, into);
  rmSync(download, { recursive: true });
}

async function must(file, args, options) {
  const result = await command(file, args, { ...options, timeoutMs: FETCH_LIMIT_MS });
  if (result.code === 0) return result;
  throw new Error(`${file} ${args.join(' ')} failed:\n${tail(result.output, 8)}`);
}

/** A configuration read after the system's: our own sources and lists, and none of the system's hooks or installed packages. */
function aptEnvironment(work, source) {
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, name), { recursive: true });
  const keyring = KEYRINGS.find((path) => existsSync(path));
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${source} main\n`);
  writeFileSync(
    join(work, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${work}/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      `Dir::State::lists "${work}/lists";`,
      'Dir::State::status "/dev/null";',
      `Dir::Cache "${work}/cache";`,
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      'Acquire::http::Timeout "30";',
      `APT::Sandbox::User "";`,
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      '',
    ].join('\n'),
  );
  return { ...process.env, APT_CONFIG: join(work, 'apt.conf') };
}

import { FakeClock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import { eventually, testDeps } from '@outrigger/core/testing';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { goDurationMs } from '../../src/mapping/go-duration.ts';
import type { MappingRules } from '../../src/mapping/rules.ts';
import { loadMapping, lookEveryMs, MappingWatch, markOf } from '../../src/mapping/source.ts';

test('a mapping file is read again when it changes; a bad one is refused and the old one stays', async (t) => {
  const file = join(t.testdir({ 'm.yaml': 'mappings:\n- {match: a, name: b}\n' }), 'm.yaml');
  const place = { file, inline: undefined, bounds: [1] };
  const clock = new FakeClock();
  const deps = testDeps({ clock });
  const loaded: (MappingRules | undefined)[] = [];
  const seen = await markOf(file);
  t.equal((await loadMapping(place))?.rules[0]?.name, 'b');
  const watch = new MappingWatch(place, seen, clock, deps.log, (rules) => void loaded.push(rules));
  t.teardown(() => watch.close());

  const replace = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const next = async (count: number): Promise<void> =>
    void (await eventually('looked at', async () => {
      await clock.advance(lookEveryMs);
      return loaded.length >= count ? true : undefined;
    }));
  await clock.advance(lookEveryMs);
  t.equal(loaded.length, 0, 'unchanged, not read');
  replace('mappings:\n- {match: a, name: "1", help: x, nonsense: 2}\n');
  await next(1);
  t.equal(loaded[0], undefined);
  t.ok(deps.lines.some((line) => /refused/.test(line) && /nonsense/.test(line) && /name/.test(line)));
  replace('mappings:\n- {match: a, name: c}\n');
  await next(2);
  t.equal(loaded[1]?.rules[0]?.name, 'c');
});

test('no file, a bad file, no mapping at all', async (t) => {
  const folder = t.testdir({ 'bad.yaml': 'mappings: [', 'wrong.yaml': 'mappings:\n- name: a\n' });
  const place = (file: string | undefined, inline?: unknown) => ({ file, inline, bounds: [1] });
  t.equal(await loadMapping(place(undefined)), undefined);
  t.equal((await loadMapping(place(undefined, { mappings: [{ match: 'a', name: 'b' }] })))?.rules.length, 1);
  await t.rejects(loadMapping(place(undefined, { mappings: [{}] })), /mapping: mappings\[0\]\.match/);
  await t.rejects(loadMapping(place(join(folder, 'wrong.yaml'))), /wrong\.yaml: mappings\[0\]\.match/);
  await t.rejects(loadMapping(place(join(folder, 'bad.yaml'))), { code: 'CONFIG_INVALID' });
  const missing = await loadMapping(place(join(folder, 'missing.yaml'))).catch((error: unknown) => error);
  t.equal(errorCode(missing), 'MAPPING_UNREADABLE');
});

test('durations as Go writes them', (t) => {
  const cases: [unknown, number | undefined][] = [
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['-2m', -120_000],
    ['0', 0],
    [0, 0],
    [1_000_000, 1],
    ['5', undefined],
    ['s', undefined],
    ['1 s', undefined],
    [true, undefined],
  ];
  for (const [text, ms] of cases) t.equal(goDurationMs(text), ms, String(text));
  t.end();
});

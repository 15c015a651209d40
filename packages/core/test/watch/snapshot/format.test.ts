import { createHash } from 'node:crypto';
import { decodeSnapshot, encodeSnapshot } from '../../../src/watch/snapshot/format.ts';
import type { Section, Snapshot } from '../../../src/watch/snapshot/format.ts';
import { test } from 'tap';

function section(name: string, records: number): Section {
  const held = Array.from({ length: records }, (_, i) => ({
    key: `default/${name}-${i}`,
    revision: String(i),
    record: {
      service: `default/${name}`,
      endpoints: [{ address: `10.0.${i >> 8}.${i & 255}`, ready: true }],
      text: 'größe ☃ \n',
    },
  }));
  return { name, revision: '812', identity: 'c1', held };
}

function encoded(snapshot: Snapshot): Buffer {
  return Buffer.from([...encodeSnapshot(snapshot)].join(''));
}

const small: Snapshot = {
  role: 'proxy',
  savedAt: 5,
  sections: [section('slices', 3), { name: 'empty', revision: '1', identity: undefined, held: [] }],
};

test('what is written is read', (t) => {
  t.same(decodeSnapshot(encoded(small), 'proxy', 'f'), small);
  const big: Snapshot = {
    role: 'proxy',
    savedAt: 5,
    sections: [section('a', 300), section('b', 128), section('c', 1)],
  };
  t.same(decodeSnapshot(encoded(big), 'proxy', 'f'), big);
  t.same(decodeSnapshot(encoded({ ...small, sections: [] }), 'proxy', 'f').sections, []);
  t.end();
});

test('cut anywhere, or with any byte changed, it is refused', (t) => {
  const content = encoded(small);
  const accepted: string[] = [];
  const refused = (bytes: Buffer, how: string): void => {
    try {
      decodeSnapshot(bytes, 'proxy', 'f');
      accepted.push(how);
    } catch (error) {
      if ((error as { code?: string }).code !== 'SNAPSHOT_CORRUPT') accepted.push(`${how}: ${String(error)}`);
    }
  };
  for (let length = 0; length < content.length; length++)
    refused(content.subarray(0, length), `cut at ${length}`);
  for (let at = 0; at < content.length; at++) {
    const changed = Buffer.from(content);
    changed[at] = changed[at]! ^ 1;
    refused(changed, `changed at ${at}`);
  }
  t.same(accepted, []);
  t.end();
});

test('files of others are not used, and it is said why', (t) => {
  t.throws(() => decodeSnapshot(encoded(small), 'ambassador', 'f'), {
    code: 'SNAPSHOT_FOREIGN',
    message: /belongs to a proxy/,
  });
  const resigned = (change: (text: string) => string): Buffer => {
    const body = change(content(small));
    return Buffer.from(`${body}${JSON.stringify({ sha256: sha256(body) })}\n`);
  };
  const newer = resigned((text) => text.replace('"version":1', '"version":2'));
  t.throws(() => decodeSnapshot(newer, 'proxy', 'f'), { code: 'SNAPSHOT_FOREIGN', message: /version 2/ });
  const other = resigned(() => '{"format":"something else"}\n');
  t.throws(() => decodeSnapshot(other, 'proxy', 'f'), { code: 'SNAPSHOT_FOREIGN' });
  t.end();
});

test('a checksum does not make nonsense right', (t) => {
  for (const body of [
    content(small).replace('"records":3', '"records":2'),
    content(small).replace('"records":3', '"records":4'),
    `${content(small)}[["more","1",{}]]\n`,
    content(small).replace(/\n\[.*\n/, '\n{}\n'),
    content(small).replace(/"savedAt":5,/, ''),
  ]) {
    const signed = Buffer.from(`${body}${JSON.stringify({ sha256: sha256(body) })}\n`);
    t.throws(() => decodeSnapshot(signed, 'proxy', 'f'), { code: 'SNAPSHOT_CORRUPT' });
  }
  t.end();
});

test('ten thousand records take less than 100 ms each way', (t) => {
  const snapshot: Snapshot = { role: 'proxy', savedAt: 5, sections: [section('slices', 10_000)] };
  const cost = (run: () => void): number => {
    const times = [1, 2, 3, 4, 5].map(() => {
      const from = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(from);
      return (user + system) / 1_000;
    });
    return Math.min(...times);
  };
  const content = encoded(snapshot);
  const write = cost(() => void encoded(snapshot));
  const read = cost(() => void decodeSnapshot(content, 'proxy', 'f'));
  t.ok(write < 100, `encoding ${(content.length / 1e6).toFixed(1)} MB took ${write.toFixed(1)} ms CPU`);
  t.ok(read < 100, `decoding took ${read.toFixed(1)} ms CPU`);
  t.end();
});

function content(snapshot: Snapshot): string {
  return [...encodeSnapshot(snapshot)].slice(0, -1).join('');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

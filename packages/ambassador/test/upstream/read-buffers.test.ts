import { test } from 'tap';
import {
  bufferBytes,
  copyBytes,
  largeBytes,
  LargeReads,
  maxLarge,
  ReadBuffers,
} from '../../src/upstream/read-buffers.ts';

test('a buffer is taken again once all that was read into it is released', async (t) => {
  const buffers = new ReadBuffers();
  const buffer = buffers.take();
  const chunk = buffer.subarray(0, 8192);
  buffers.hold(chunk);
  buffers.released(chunk.subarray(0, 4096));
  t.not(buffers.take().buffer, buffer.buffer, 'not before');
  buffers.released(chunk.subarray(4096));
  t.equal(buffers.take().buffer, buffer.buffer);
  t.not(buffers.take().buffer, buffer.buffer, 'once');
});

test('what comes from elsewhere says nothing about it, however much it is', async (t) => {
  const buffers = new ReadBuffers();
  const [one, other] = [buffers.take(), buffers.take()];
  buffers.hold(one.subarray(0, 8192));
  buffers.released(other.subarray(0, 8192));
  buffers.released(Buffer.alloc(8192));
  const next = buffers.take();
  t.not(next.buffer, one.buffer);
  t.not(next.buffer, other.buffer, 'nobody held it');
  buffers.hold(one.subarray(0, 100));
  buffers.released(one.subarray(0, 100));
  t.equal(buffers.take().buffer, one.buffer, 'each reading begins anew');
});

test('a copy is the same bytes elsewhere, in a buffer of at most twice their size', async (t) => {
  const buffers = new ReadBuffers();
  for (const bytes of [1, copyBytes, copyBytes + 1, 8192, 8193, 16_422, 40_000, bufferBytes]) {
    const chunk = buffers.shared.subarray(0, bytes).fill(bytes % 251);
    const copy = buffers.copy(chunk);
    t.ok(copy.equals(chunk));
    buffers.shared.fill(0);
    t.ok(
      copy.every((byte) => byte === bytes % 251),
      `${bytes} bytes stay`,
    );
    buffers.released(copy);
    if (bytes <= copyBytes) continue;
    t.ok(copy.buffer.byteLength <= Math.max(8192, 2 * bytes), `in ${copy.buffer.byteLength}`);
    t.equal(buffers.take(bytes).buffer, copy.buffer);
  }
});

test('what is free is bounded', async (t) => {
  const buffers = new ReadBuffers();
  const taken = Array.from({ length: 1000 }, () => buffers.take());
  for (const buffer of taken) buffers.put(buffer);
  const known = new Set(taken.map(({ buffer }) => buffer));
  let again = 0;
  while (known.has(buffers.take().buffer)) again++;
  t.equal(again * bufferBytes, 8 * 2 ** 20);
});

test('what fills little of its buffer is copied, and the buffer free', async (t) => {
  const buffers = new ReadBuffers();
  const large = buffers.take(largeBytes);
  const much = buffers.passed(large.subarray(0, bufferBytes + 1), large);
  t.equal(much.buffer, large.buffer);
  buffers.released(much);
  t.equal(buffers.take(largeBytes).buffer, large.buffer);
  const little = buffers.passed(large.subarray(0, bufferBytes).fill(7), large);
  t.not(little.buffer, large.buffer);
  t.ok(little.equals(large.subarray(0, bufferBytes)));
  t.equal(buffers.take(largeBytes).buffer, large.buffer);
  t.not(buffers.passed(buffers.shared, buffers.shared).buffer, buffers.shared.buffer);
});

test('few may read much at once', async (t) => {
  const buffers = new ReadBuffers();
  const all = Array.from({ length: maxLarge + 1 }, () => new LargeReads(buffers));
  t.strictSame(
    all.map((one) => one.wants(true)),
    all.map((_, i) => i < maxLarge),
  );
  const [first, last] = [all[0] as LargeReads, all[maxLarge] as LargeReads];
  t.equal(first.wants(true), true, 'who does already goes on');
  t.equal(last.wants(true), false);
  t.equal(first.wants(false), false);
  t.equal(last.wants(true), true, 'there is room for one more');
  t.equal(first.wants(true), false);
});

import { test } from 'tap';
import { ReadBuffers } from '../../src/upstream/read-buffers.ts';

test('a buffer is free once all that was read into it is', async (t) => {
  const buffers = new ReadBuffers();
  const chunk = buffers.take().subarray(0, 8192);
  buffers.reading(chunk);
  buffers.released(chunk.subarray(0, 4096));
  buffers.released(chunk.subarray(4096));
  t.equal(buffers.read(chunk), true);
  buffers.reading(chunk);
  buffers.released(chunk.subarray(0, 4096));
  t.equal(buffers.read(chunk), false, 'not before');
});

test('what comes from elsewhere says nothing about it, however much it is', async (t) => {
  const buffers = new ReadBuffers();
  const chunk = buffers.take().subarray(0, 8192);
  buffers.reading(chunk);
  buffers.released(chunk.subarray(0, 4096));
  // An answer that has waited for this one, as long as the one that is held.
  buffers.released(buffers.take().subarray(0, 4096));
  t.equal(buffers.read(chunk), false);
  buffers.released(chunk.subarray(4096));
  buffers.reading(chunk);
  t.equal(buffers.read(chunk), false, 'each reading begins anew');
});

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { encodeCommand, encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { outcome, scanReplies, scanRequests } from './fixtures.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const rounds = 400;

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

function bytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: below(random, 12) }, () => below(random, 256)));
}

function value(random: Random, depth: number): RespValue {
  const items = (): RespValue[] => Array.from({ length: below(random, 4) }, () => value(random, depth + 1));
  const kinds = depth > 4 ? 6 : 9;
  switch (below(random, kinds)) {
    case 0:
      return { type: 'simple', text: 'x'.repeat(below(random, 5)) };
    case 1:
      return { type: 'bulk', bytes: bytes(random) };
    case 2:
      return { type: 'integer', value: below(random, 1000) - 500 };
    case 3:
      return { type: random.next() < 0.5 ? 'nullBulk' : 'null' };
    case 4:
      return { type: 'error', text: 'ERR x' };
    case 5:
      return { type: 'double', value: random.next() };
    case 6:
      return { type: 'list', items: items() };
    case 7:
      return { type: 'map', entries: items().map((key) => [key, value(random, depth + 1)]) };
    default:
      return { type: 'set', items: items(), attributes: items().map((key) => [key, key]) };
  }
}

/** `whole` in pieces of random sizes, empty ones included. */
function pieces(whole: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < whole.length;) {
    const next = Math.min(at + below(random, 9), whole.length);
    chunks.push(whole.subarray(at, next));
    at = next;
  }
  return chunks;
}

function mutated(whole: Buffer, random: Random): Buffer {
  const copy = Buffer.from(whole);
  for (let i = below(random, 3) + 1; i > 0 && copy.length > 0; i--) {
    const interesting = Buffer.from('*$\r\n-?0123456789>|% ');
    copy[below(random, copy.length)] = interesting[below(random, interesting.length)] as number;
  }
  return copy;
}

test(`random requests (FUZZ_SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const frames = Array.from({ length: below(random, 6) + 1 }, () =>
      encodeCommand(Array.from({ length: below(random, 5) + 1 }, () => bytes(random))),
    );
    const whole = Buffer.concat(frames);
    let end = 0;
    const ends = frames.map((frame) => (end += frame.length));
    t.strictSame(
      scanRequests(pieces(whole, random)).map((frame) => frame.end),
      ends,
      `round ${round}`,
    );
    const odd = mutated(whole, random);
    t.strictSame(
      outcome(() => scanRequests(pieces(odd, random))),
      outcome(() => scanRequests([odd])),
      `round ${round}: damaged bytes end alike, cut or whole: ${JSON.stringify(odd.toString('latin1'))}`,
    );
  }
});

test(`random replies (FUZZ_SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const frames = Array.from({ length: below(random, 6) + 1 }, () => encodeReply(value(random, 0)));
    const whole = Buffer.concat(frames);
    let end = 0;
    const ends = frames.map((frame) => (end += frame.length));
    t.strictSame(
      scanReplies(pieces(whole, random)).map((frame) => frame.end),
      ends,
      `round ${round}`,
    );
    const odd = mutated(whole, random);
    t.strictSame(
      outcome(() => scanReplies(pieces(odd, random))),
      outcome(() => scanReplies([odd])),
      `round ${round}: damaged bytes end alike, cut or whole: ${JSON.stringify(odd.toString('latin1'))}`,
    );
  }
});

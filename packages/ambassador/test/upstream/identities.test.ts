/** Whose connections are whose. */

import { test } from 'tap';
import type { Identity } from '../../src/session/state.ts';
import { keyOf } from '../../src/upstream/identities.ts';

const nobody: Identity = { user: undefined, password: undefined, protocol: 2, database: 0 };

test('two identities have one key only if they are one', async (t) => {
  const all: Identity[] = [
    nobody,
    { ...nobody, protocol: 3 },
    { ...nobody, database: 1 },
    { ...nobody, user: '', password: '' },
    { ...nobody, password: '' },
    { ...nobody, password: 'b c' },
    { ...nobody, user: 'a', password: 'b c' },
    { ...nobody, user: 'a b', password: 'c' },
    { ...nobody, user: '', password: 'a b c' },
    { ...nobody, user: 'a","b', password: 'c' },
    { ...nobody, user: 'a', password: 'b","c' },
  ];
  t.equal(new Set(all.map(keyOf)).size, all.length);
  t.equal(keyOf({ ...nobody, user: 'a', password: 'b c' }), keyOf({ ...nobody, user: 'a', password: 'b c' }));
});

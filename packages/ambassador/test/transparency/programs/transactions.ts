/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. */

import { programs } from '../program.ts';

export const transactions = programs('transactions', {
  'queued and run': `
    MULTI
    SET k 1
    INCR k
    GET k
    LPUSH k x
    HGETALL none
    EXEC
    GET k
    MULTI
    EXEC
    EXEC
    DISCARD
    MULTI
    MULTI
    DISCARD
    GET k
  `,
  discarded: `
    SET k 1
    MULTI
    SET k 2
    DISCARD
    GET k
    MULTI
    GET k
    EXEC
  `,
  'with errors': `
    MULTI
    NOSUCH
    SET k v
    EXEC
    GET k
    MULTI
    SET k
    SET k v
    EXEC
    GET k
    MULTI
    INCR none
    LPUSH none x
    SET k v
    EXEC
    GET k
    MULTI
    NOSUCH
    DISCARD
    EXEC x
    MULTI x
    WATCH
    EXEC
  `,
  'a watched key that another client changes': `
    a: SET k 1
    a: WATCH k
    b: SET k 2
    a: MULTI
    a: SET k 3
    a: EXEC
    a: GET k
    a: MULTI
    a: SET k 4
    a: EXEC
    b: GET k
  `,
  'a watched key that nobody changes': `
    a: SET k 1
    a: WATCH k other
    b: GET k
    a: GET k
    a: MULTI
    a: SET k 3
    a: EXEC
    b: GET k
  `,
  'a watched key its own client changes': `
    WATCH k
    SET k v
    MULTI
    GET k
    EXEC
    WATCH k
    EVAL "return redis.call('SET', KEYS[1], 'w')" 1 k
    MULTI
    GET k
    EXEC
  `,
  'no longer watched': `
    a: WATCH k
    b: SET k 1
    a: UNWATCH
    a: MULTI
    a: GET k
    a: EXEC
    a: WATCH k
    b: SET k 2
    a: MULTI
    a: DISCARD
    a: MULTI
    a: GET k
    a: EXEC
    a: UNWATCH
  `,
  'a watched key that is deleted, flushed, swapped or moved away': `
    a: SET k 1
    a: WATCH k
    b: DEL k
    a: MULTI
    a: PING
    a: EXEC
    a: SET k 1
    a: WATCH k
    b: FLUSHALL
    a: MULTI
    a: PING
    a: EXEC
    a: SET k 1
    a: WATCH k
    b: SWAPDB 0 1
    a: MULTI
    a: PING
    a: EXEC
    a: WATCH k
    b: FLUSHALL
    a: MULTI
    a: PING
    a: EXEC
    a: SET k 1
    a: WATCH k
    b: RENAME k l
    a: MULTI
    a: PING
    a: EXEC
  `,
  'a watched key of another database': `
    a: SELECT 1
    a: WATCH k
    a: SELECT 2
    b: SET k v
    a: MULTI
    a: GET k
    a: EXEC
    a: SELECT 1
    a: WATCH k
    a: SELECT 2
    c: SELECT 1
    c: SET k v
    a: MULTI
    a: GET k
    a: EXEC
    a: GET k
  `,
  'databases selected inside': `
    MULTI
    SELECT 3
    SET k three
    SELECT 4
    EXEC
    SET k four
    GET k
    SELECT 3
    GET k
    SELECT 0
    GET k
    MULTI
    SELECT 5
    DISCARD
    SET k zero
    SELECT 5
    GET k
    MULTI
    SELECT 99
    SELECT 6
    SET k six
    EXEC
    GET k
  `,
  'all in one pipeline, reads and writes around': `
    SET k 1
    GET k
    WATCH k
    GET k
    MULTI
    INCR k
    GET k
    EXEC
    GET k
    INCR k
    GET k
    MULTI
    INCR k
    DISCARD
    GET k
  `,
  'blocking commands do not block inside': `
    MULTI
    BLPOP none 0
    BRPOP none 0
    BLMOVE none d LEFT LEFT 0
    BZPOPMIN none 0
    BLMPOP 0 1 none LEFT
    BZMPOP 0 1 none MIN
    BRPOPLPUSH none d 0
    XREAD BLOCK 0 STREAMS none 0
    EXEC
  `,
  'what is not allowed inside': `
    MULTI
    WATCH k
    EXEC
    MULTI
    MULTI
    RESET
    PING
  `,
  'session commands inside': `
    MULTI
    ECHO hello
    PING
    TYPE none
    COMMAND COUNT
    OBJECT HELP
    EXEC
  `,
  'in RESP3': `
    a: [connection id] HELLO 3
    a: WATCH k
    b: SET k 1
    a: MULTI
    a: HGETALL none
    a: EXEC
    a: MULTI
    a: HGETALL none
    a: GET none
    a: ZSCORE none x
    a: EXEC
  `,
  'a session that starts over in the middle': `
    a: SET k 1
    a: WATCH k
    a: MULTI
    a: SET k 2
    a: RESET
    a: EXEC
    a: GET k
    a: WATCH k
    a: RESET
    b: SET k 5
    a: MULTI
    a: GET k
    a: EXEC
  `,
  'a client that leaves in the middle': `
    a: MULTI
    a: SET k never
    a: !leaves
    b: GET k
    c: WATCH k
    c: !leaves
    b: SET k v
    b: GET k
  `,
  'a client that says goodbye in the middle': `
    a: MULTI
    a: SET k never
    a: QUIT
    a: !closes
    b: GET k
  `,
  'transactions of two clients, interleaved': `
    a: MULTI
    b: MULTI
    a: INCR n
    b: INCR n
    a: INCR n
    b: EXEC
    a: EXEC
    b: GET n
    a: GET n
  `,
  'scripts, functions and publishing inside': String.raw`
    b: SUBSCRIBE ch
    a: MULTI
    a: PUBLISH ch one
    a: EVAL "return redis.call('PUBLISH', 'ch', 'two')" 0
    a: EXEC
    b: !receive 2
    b: UNSUBSCRIBE ch
  `,
  large: `
    MULTI
    SET big @b*100000
    STRLEN big
    GET big
    EXEC
    STRLEN big
  `,
});

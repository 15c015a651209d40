/** Commands that wait, and the clients that wake them. */

import { programs } from '../program.ts';

export const blocking = programs('blocking', {
  'nothing to wait for': `
    RPUSH l a b c d e f
    BLPOP l 0
    BRPOP l 0
    BLMOVE l m LEFT RIGHT 0
    BRPOPLPUSH l m 0
    BLMPOP 0 2 none l LEFT COUNT 5
    LRANGE m 0 -1
    ZADD z 1 a 2 b 3 c 4 d
    BZPOPMIN z 0
    BZPOPMAX z 0
    BZMPOP 0 1 z MIN COUNT 5
    XADD s 1-1 f v
    XREAD BLOCK 0 STREAMS s 0
    XGROUP CREATE s g 0
    XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    EXISTS l z
  `,
  'waited in vain': `
    BLPOP none 0.01
    BRPOP none other 0.01
    BLMOVE none d LEFT LEFT 0.01
    BRPOPLPUSH none d 0.01
    BLMPOP 0.01 1 none LEFT
    BZPOPMIN none 0.01
    BZPOPMAX none 0.01
    BZMPOP 0.01 1 none MAX
    XREAD BLOCK 10 STREAMS none 0
    [replication] WAIT 0 10
    PING
  `,
  'waited in vain, in RESP3': `
    [connection id] HELLO 3
    BLPOP none 0.01
    BLMOVE none d LEFT LEFT 0.01
    BZPOPMIN none 0.01
    XREAD BLOCK 10 STREAMS none $
    GET none
  `,
  'badly asked': `
    BLPOP l
    BLPOP l x
    BLPOP l -1
    BLMOVE a b UP DOWN 0
    BLMPOP 0 0 l LEFT
    BZPOPMIN z x
    BZMPOP 0 1 z MIDDLE
    XREAD BLOCK x STREAMS s 0
    XREAD BLOCK -1 STREAMS s 0
    XREADGROUP GROUP g c BLOCK 0 STREAMS none >
    WAIT x 0
    WAIT 0 -1
    SET s v
    BLPOP s 0
    BZPOPMIN s 0
  `,
  'BLPOP woken by a push': `
    a: ~ BLPOP none l 0
    !blocked 1
    b: RPUSH l one two
    a: !receive
    b: LRANGE l 0 -1
    a: PING
  `,
  'each waiting command woken': `
    a: ~ BRPOP l 0
    !blocked 1
    b: RPUSH l v1 v2
    a: !receive
    a: DEL l
    a: ~ BLMOVE l d LEFT RIGHT 0
    !blocked 1
    b: RPUSH l v
    a: !receive
    a: ~ BRPOPLPUSH l d 0
    !blocked 1
    b: RPUSH l w
    a: !receive
    a: ~ BLMPOP 0 2 l k RIGHT COUNT 2
    !blocked 1
    b: RPUSH k 1 2 3
    a: !receive
    a: ~ BZPOPMIN z 0
    !blocked 1
    b: ZADD z 5 m
    a: !receive
    a: ~ BZPOPMAX z 0
    !blocked 1
    b: ZADD z 6 n 7 o
    a: !receive
    a: DEL z
    a: ~ BZMPOP 0 1 z MAX COUNT 2
    !blocked 1
    b: ZADD z 1 p 2 q
    a: !receive
    a: ~ XREAD BLOCK 0 STREAMS s $
    !blocked 1
    b: XADD s 1-1 f v
    a: !receive
    b: XGROUP CREATE s g $
    a: ~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    !blocked 1
    b: XADD s 2-1 f w
    a: !receive
    a: LRANGE d 0 -1
  `,
  'a pipeline behind a waiting command waits too': `
    a: SET k before
    a: ~ BLPOP l 0
    a: ~ GET k
    a: ~ SET k mine
    a: ~ GET k
    !blocked 1
    b: SET k after
    b: GET k
    b: RPUSH l x
    a: !receive
    b: GET k
  `,
  'writes before it are done before it waits': `
    a: SET k v
    a: INCR n
    a: ~ BLPOP l 0
    !blocked 1
    b: GET k
    b: GET n
    b: RPUSH l x
    a: !receive
  `,
  'waiting clients are served in turn': `
    a: ~ BLPOP l 0
    !blocked 1
    b: ~ BLPOP l 0
    !blocked 2
    c: ~ BLPOP l 0
    !blocked 3
    d: RPUSH l 1 2 3
    a: !receive
    b: !receive
    c: !receive
    d: EXISTS l
  `,
  'one waits, others go on': `
    a: ~ BLPOP l 0
    !blocked 1
    b: ~ BRPOP m 0
    !blocked 2
    c: SET k v
    c: GET k
    c: MULTI
    c: INCR n
    c: EXEC
    d: SUBSCRIBE ch
    c: PUBLISH ch hi
    d: !receive 1
    c: RPUSH m x
    b: !receive
    c: RPUSH l y
    a: !receive
  `,
  'woken by a transaction, a script, a move, a rename': String.raw`
    a: ~ BLPOP l 0
    !blocked 1
    b: MULTI
    b: RPUSH l 1
    b: RPUSH l 2
    b: EXEC
    a: !receive
    b: DEL l
    a: ~ BLPOP l 0
    !blocked 1
    b: EVAL "return redis.call('RPUSH', KEYS[1], 'a', 'b')" 1 l
    a: !receive
    b: DEL l
    a: ~ BLPOP l 0
    !blocked 1
    b: RPUSH other moved
    b: LMOVE other l LEFT LEFT
    a: !receive
    a: ~ BLPOP l 0
    !blocked 1
    b: RPUSH other renamed
    b: RENAME other l
    a: !receive
    a: ~ BLPOP l 0
    !blocked 1
    b: RPUSH other copied
    b: COPY other l
    a: !receive
    a: ~ BLPOP l 0
    !blocked 1
    b: SORT other BY nosort STORE l
    a: !receive
  `,
  'waiting in another database': `
    a: SELECT 4
    a: ~ BLPOP l 0
    !blocked 1
    b: RPUSH l wrong
    b: SELECT 4
    b: RPUSH l right
    a: !receive
    a: SELECT 0
    a: LRANGE l 0 -1
  `,
  'woken from outside': `
    a: [connection id] $id := CLIENT ID
    a: ~ BLPOP none 0
    !blocked 1
    b: CLIENT UNBLOCK $id
    a: !receive
    a: ~ BLPOP none 0
    !blocked 1
    b: CLIENT UNBLOCK $id ERROR
    a: !receive
    a: ~ XREAD BLOCK 0 STREAMS none $
    !blocked 1
    b: CLIENT UNBLOCK $id TIMEOUT
    a: !receive
    b: CLIENT UNBLOCK $id
    b: CLIENT UNBLOCK 999999999
    b: CLIENT UNBLOCK x
    b: CLIENT UNBLOCK 1 NOSUCH
    a: PING
  `,
  'killed while waiting': `
    a: [connection id] $id := CLIENT ID
    a: ~ BLPOP l 0
    !blocked 1
    b: CLIENT KILL ID $id
    a: !closes
    b: RPUSH l x
    b: LRANGE l 0 -1
  `,
  'a client that leaves while it waits takes nothing': `
    a: ~ BLPOP l 0
    !blocked 1
    a: !leaves
    !blocked 0
    b: RPUSH l x y
    b: LRANGE l 0 -1
  `,
  'a stream of a deleted group': `
    a: XGROUP CREATE s g $ MKSTREAM
    a: ~ XREADGROUP GROUP g c BLOCK 0 STREAMS s >
    !blocked 1
    b: XGROUP DESTROY s g
    a: !receive
  `,
  'several keys, the first that has something': `
    a: ~ BLPOP l1 l2 l3 0
    !blocked 1
    b: RPUSH l3 z
    a: !receive
    b: RPUSH l2 y
    b: RPUSH l1 x
    a: BLPOP l3 l2 l1 0
    a: BLPOP l3 l2 l1 0
    a: BLPOP l3 l2 l1 0.01
  `,
  'WAIT without replicas to wait for': `
    SET k v
    [replication] WAIT 0 0
    [replication] WAIT 0 100
    GET k
    WAIT
  `,
});

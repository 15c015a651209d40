/** CLIENT and its subcommands, tracking, MONITOR. */

import { programs } from '../program.ts';

export const clients = programs('clients', {
  'who one is': `
    [connection id] CLIENT ID
    [connection facts] CLIENT INFO
    CLIENT SETNAME me
    SELECT 3
    [connection facts] CLIENT INFO
    [connection facts] CLIENT LIST TYPE master
    CLIENT LIST TYPE nosuch
    CLIENT LIST NOSUCH
    CLIENT LIST ID x
    CLIENT LIST ID 99999999
    CLIENT LIST ID
    CLIENT HELP
    CLIENT NOSUCH
    CLIENT
    CLIENT ID x
  `,
  'listed by identity': `
    a: CLIENT SETNAME first
    a: [connection id] $a := CLIENT ID
    b: CLIENT SETNAME second
    b: SELECT 2
    b: [connection id] $b := CLIENT ID
    c: [connection facts] CLIENT LIST ID $a
    c: [connection facts] CLIENT LIST ID $a $b
    b: SUBSCRIBE ch
    c: [connection facts] CLIENT LIST ID $b
    b: UNSUBSCRIBE ch
    a: MULTI
    a: GET k
    c: [connection facts] CLIENT LIST ID $a
    a: EXEC
    c: [connection facts] CLIENT LIST ID $a
    c: CLIENT LIST TYPE pubsub
    c: CLIENT LIST TYPE replica ID 1
  `,
  killed: `
    a: [connection id] $a := CLIENT ID
    b: CLIENT KILL ID $a
    a: !closes
    b: CLIENT KILL ID $a
    b: CLIENT KILL 127.0.0.1:1
    b: CLIENT KILL ADDR 127.0.0.1:1
    b: CLIENT KILL ID x
    b: CLIENT KILL NOSUCH x
    b: CLIENT KILL
    b: CLIENT KILL ID
    b: CLIENT KILL TYPE nosuch
    b: CLIENT KILL USER nobody
    b: CLIENT KILL ID 0
  `,
  'killing oneself': `
    a: [connection id] $a := CLIENT ID
    a: CLIENT KILL ID $a SKIPME yes
    a: CLIENT KILL ID $a SKIPME no
    a: !closes
  `,
  'killed while subscribed, in a transaction, watching': `
    a: SUBSCRIBE c
    b: MULTI
    b: SET k v
    d: [connection id] $d := CLIENT ID
    d: WATCH k
    c: CLIENT KILL TYPE pubsub
    a: !closes
    c: PUBSUB NUMSUB c
    c: CLIENT KILL ID $d
    d: !closes
    b: EXEC
    c: GET k
  `,
  'replies switched off': `
    a: 0 CLIENT REPLY OFF
    a: 0 SET k v
    a: 0 GET k
    a: 0 NOSUCH
    a: 0 CLIENT REPLY SKIP
    a: 0 INCR n
    a: CLIENT REPLY ON
    a: GET n
    a: 0 CLIENT REPLY SKIP
    a: 0 INCR n
    a: GET n
    a: 0 CLIENT REPLY SKIP
    a: 0 CLIENT REPLY SKIP
    a: 0 GET n
    a: INCR n
    a: CLIENT REPLY ON
    a: CLIENT REPLY NOSUCH
    a: CLIENT REPLY
    b: GET n
  `,
  'replies off, and pushes': `
    a: [connection id] HELLO 3
    a: SUBSCRIBE c
    a: 0 CLIENT REPLY OFF
    a: 0 SET k v
    b: PUBLISH c m
    a: CLIENT REPLY ON
    !silent
  `,
  'skipping around transactions and scripts': `
    0 CLIENT REPLY SKIP
    0 MULTI
    INCR n
    EXEC
    0 CLIENT REPLY SKIP
    0 EVAL "return redis.call('INCR', 'n')" 0
    GET n
  `,
  'named, then subscribed or monitoring': `
    a: CLIENT SETNAME me
    a: SUBSCRIBE c
    a: UNSUBSCRIBE c
    a: CLIENT GETNAME
    a: CLIENT SETNAME you
    a: PSUBSCRIBE p*
    b: [connection facts] CLIENT LIST TYPE pubsub
    a: RESET
    a: CLIENT SETNAME it
    a: MONITOR
    b: SET k v
    a: [monitored] !seen SET
    a: 0 RESET
    a: !seen RESET
  `,
  'eviction of clients': `
    CLIENT NO-EVICT ON
    CLIENT NO-EVICT OFF
    CLIENT NO-EVICT NOSUCH
    CLIENT NO-EVICT
    CLIENT CAPA redirect
    GET k
  `,
  'paused for no time': `
    CLIENT PAUSE x
    CLIENT PAUSE 1 NOSUCH
    CLIENT PAUSE
    CLIENT PAUSE 1 WRITE
    CLIENT UNPAUSE
    CLIENT UNPAUSE x
    SET k v
    GET k
  `,
  'paused, and lifted by another': `
    a: CLIENT PAUSE 100000 WRITE
    b: ~ SET k v
    !blocked 1
    c: CLIENT UNPAUSE
    b: !receive
    a: GET k
  `,
  'caching asked for without tracking': `
    CLIENT CACHING YES
    CLIENT CACHING NO
    CLIENT CACHING NOSUCH
    CLIENT GETREDIR
    CLIENT TRACKINGINFO
    CLIENT TRACKING NOSUCH
    CLIENT TRACKING ON REDIRECT 99999999
    CLIENT TRACKING ON REDIRECT x
    CLIENT TRACKING ON OPTIN OPTOUT
    CLIENT TRACKING ON PREFIX a
    CLIENT TRACKING OFF
    CLIENT TRACKING ON
    CLIENT TRACKINGINFO
    CLIENT TRACKING OFF
    GET k
  `,
});

export const tracking = programs('tracking', {
  'in RESP3': `
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON
    a: GET k
    a: GET l
    a: CLIENT TRACKINGINFO
    a: CLIENT GETREDIR
    b: SET k 1
    a: !receive 1
    b: SET k 2
    b: SET l 1
    a: !receive 1
    a: GET k
    a: MGET k l
    b: MSET k 3 l 3
    a: !receive 2
    a: GET k
    b: FLUSHALL
    a: !receive 1
    a: CLIENT TRACKING OFF
    a: GET k
    b: SET k 5
    a: GET k
  `,
  'changed by oneself': `
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON
    a: GET k
    a: 2 SET k v
    a: GET k
    a: CLIENT TRACKING OFF
    a: CLIENT TRACKING ON NOLOOP
    a: GET k
    a: SET k w
    a: GET k
    b: SET k x
    a: !receive 1
  `,
  'by prefix': `
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON BCAST PREFIX user: PREFIX obj:
    a: CLIENT TRACKINGINFO
    b: SET user:1 x
    a: !receive 1
    b: SET other y
    b: SET obj:1 y
    a: !receive 1
    a: CLIENT TRACKING ON BCAST PREFIX user:1
    a: CLIENT TRACKING OFF
  `,
  'only when asked': `
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON OPTIN
    a: GET k
    a: CLIENT CACHING YES
    a: GET l
    b: SET k 1
    b: SET l 1
    a: !receive 1
    a: CLIENT CACHING NO
    a: CLIENT TRACKING ON OPTOUT
    a: CLIENT TRACKING OFF
    a: CLIENT TRACKING ON OPTOUT
    a: CLIENT CACHING NO
    a: GET k
    a: GET l
    b: SET k 2
    b: SET l 2
    a: !receive 1
    a: CLIENT CACHING YES
  `,
  'redirected to another client of RESP2': `
    b: [connection id] $b := CLIENT ID
    b: SUBSCRIBE __redis__:invalidate
    a: CLIENT TRACKING ON REDIRECT $b
    a: [connection id] CLIENT GETREDIR
    a: GET k
    c: SET k v
    b: !receive 1
    a: GET k
    c: DEL k
    b: !receive 1
    a: CLIENT TRACKING OFF
    c: SET k w
    b: PING
  `,
  'redirected to a client that leaves': `
    b: [connection id] $b := CLIENT ID
    b: SUBSCRIBE __redis__:invalidate
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON REDIRECT $b
    a: GET k
    b: QUIT
    b: !closes
    c: SET k v
    a: [connection id] !receive 1
    a: GET k
  `,
  'of a key that expires': `
    a: [connection id] HELLO 3
    a: SET k v PX 30
    a: CLIENT TRACKING ON
    a: GET k
    a: !receive 1
    a: GET k
  `,
  'inside a transaction': `
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON
    a: MULTI
    a: GET k
    a: GET l
    a: EXEC
    b: SET l 1
    a: !receive 1
    b: SET k 1
    a: !receive 1
  `,
  'through a script': String.raw`
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON
    a: EVAL_RO "return redis.call('GET', KEYS[1])" 1 k
    a: EVAL "return redis.call('GET', KEYS[1])" 1 l
    b: SET k 1
    a: !receive 1
  `,
  'ended by RESET': `
    a: [connection id] HELLO 3
    a: CLIENT TRACKING ON
    a: GET k
    a: RESET
    b: SET k v
    a: GET k
    a: CLIENT TRACKINGINFO
  `,
  'of a subscriber': `
    a: [connection id] HELLO 3
    a: SUBSCRIBE c
    a: CLIENT TRACKING ON
    a: GET k
    b: PUBLISH c m
    a: !receive 1
    b: SET k v
    a: !receive 1
    a: UNSUBSCRIBE c
    a: GET k
    b: SET k w
    a: !receive 1
  `,
});

export const monitor = programs('monitor', {
  'sees what others do': String.raw`
    a: MONITOR
    b: SET k v
    b: SELECT 2
    b: EVAL "return redis.call('SET', 'x', 'y')" 0
    a: [monitored] !seen "\"SET\" \"k\"" EVAL "\"SET\" \"x\""
    a: 0 QUIT
    a: !seen OK
    a: !closes
    b: GET k
  `,
  'ended by RESET': `
    a: MONITOR
    a: 0 RESET
    a: !seen RESET
    a: GET k
    a: SET k v
    b: SET k w
    a: GET k
  `,
});

/** Channels, patterns, shards; RESP2's mode of its own and RESP3's pushes. */

import { programs } from '../program.ts';

export const publishing = programs('publishing', {
  'to channels': `
    a: SUBSCRIBE one two
    b: PUBLISH one hello
    b: PUBLISH two world
    b: PUBLISH three nobody
    a: !receive 2
    a: UNSUBSCRIBE one
    b: PUBLISH one gone
    b: PUBLISH two still
    a: !receive 1
    a: UNSUBSCRIBE two
    a: GET k
    a: UNSUBSCRIBE none
  `,
  'to patterns': `
    a: PSUBSCRIBE news.* h?llo
    a: SUBSCRIBE news.art
    b: PUBLISH news.art x
    a: !receive 2
    b: PUBLISH hello y
    a: !receive 1
    a: PUNSUBSCRIBE news.*
    b: PUBLISH news.art z
    a: !receive 1
    a: 1 PUNSUBSCRIBE
    a: 1 UNSUBSCRIBE
    a: SET k v
  `,
  'to shards': `
    a: SSUBSCRIBE s1 s2
    b: SPUBLISH s1 m
    b: PUBLISH s1 other
    a: !receive 1
    b: [any order] PUBSUB SHARDCHANNELS
    b: PUBSUB SHARDNUMSUB s1 none
    a: SUNSUBSCRIBE s1
    a: 1 SUNSUBSCRIBE
    a: PING
  `,
  'unsubscribing from everything': `
    a: SUBSCRIBE c
    a: 1 UNSUBSCRIBE
    a: 1 UNSUBSCRIBE
    a: 1 PUNSUBSCRIBE
    a: 1 SUNSUBSCRIBE
    a: UNSUBSCRIBE x y
    a: PING
  `,
  'what is allowed while subscribed': `
    a: SUBSCRIBE c
    a: GET k
    a: SET k v
    a: PING
    a: PING hello
    a: PUBLISH c x
    a: NOSUCH
    a: MULTI
    a: SUBSCRIBE c
    a: SUBSCRIBE
    a: SUBSCRIBE d
    a: CLIENT ID
    a: UNSUBSCRIBE c d
    a: PING
    a: GET k
  `,
  'leaving the mode': `
    a: SUBSCRIBE c
    a: RESET
    a: GET k
    b: PUBLISH c x
    a: SUBSCRIBE c
    a: QUIT
    a: !closes
    b: PUBLISH c x
  `,
  'a client that leaves is counted no longer': `
    a: SUBSCRIBE c
    b: SUBSCRIBE c
    c: PUBSUB NUMSUB c
    b: UNSUBSCRIBE c
    c: PUBSUB NUMSUB c
    c: PUBLISH c x
    a: !receive 1
  `,
  introspection: `
    a: SUBSCRIBE one two
    b: PSUBSCRIBE p*
    c: [any order] PUBSUB CHANNELS
    c: PUBSUB CHANNELS o*
    c: PUBSUB NUMSUB one two none
    c: PUBSUB NUMSUB
    c: PUBSUB NUMPAT
    c: PUBSUB SHARDCHANNELS
    c: PUBSUB SHARDNUMSUB
    c: PUBSUB HELP
    c: PUBSUB NOSUCH
    c: PUBSUB
  `,
  'many subscribers': `
    a: SUBSCRIBE c
    b: SUBSCRIBE c
    c: SUBSCRIBE c
    d: PUBLISH c to-all
    a: !receive 1
    b: !receive 1
    c: !receive 1
  `,
  'after reads and writes in one pipeline': `
    a: SET k v
    a: GET k
    a: SUBSCRIBE c
    a: PING
    a: UNSUBSCRIBE c
    a: GET k
    a: SET k w
    a: GET k
    a: SUBSCRIBE c d
    a: UNSUBSCRIBE c d
    a: INCR n
  `,
  'in RESP3, other commands go on': `
    a: [connection id] HELLO 3
    a: SUBSCRIBE c
    a: SET k v
    a: GET k
    a: PING
    a: PING hello
    b: PUBLISH c one
    a: !receive 1
    a: PSUBSCRIBE p*
    a: INCR n
    b: PUBLISH p1 two
    a: !receive 1
    a: HGETALL none
    a: UNSUBSCRIBE c
    a: 1 PUNSUBSCRIBE
    a: 1 UNSUBSCRIBE
    a: GET k
  `,
  'in RESP3, to oneself': `
    a: [connection id] HELLO 3
    a: SUBSCRIBE c
    a: 2 PUBLISH c me
    a: GET none
    a: SSUBSCRIBE s
    a: 2 SPUBLISH s me
    a: MULTI
    a: PUBLISH c inside
    a: INCR n
    a: 2 EXEC
    a: UNSUBSCRIBE c
    a: SUNSUBSCRIBE s
  `,
  'in RESP3, inside a transaction': `
    a: [connection id] HELLO 3
    a: MULTI
    a: 1 SUBSCRIBE c
    a: EXEC
    b: PUBLISH c x
    a: !receive 1
  `,
  'inside a transaction': `
    a: MULTI
    a: 1 SUBSCRIBE c d
    a: 1 PUBLISH e x
    a: 2 EXEC
    b: PUBLISH c x
    a: !receive 1
    a: UNSUBSCRIBE c d
  `,
  'from scripts': String.raw`
    a: SUBSCRIBE c
    b: EVAL "return redis.call('PUBLISH', 'c', ARGV[1])" 0 hello
    a: !receive 1
    a: UNSUBSCRIBE c
  `,
  'events of keys': `
    b: CONFIG SET notify-keyspace-events KEA
    a: PSUBSCRIBE __key*@0__:*
    b: SET k v
    b: DEL k
    b: CONFIG SET notify-keyspace-events ""
    a: !receive 4
    a: PUNSUBSCRIBE __key*@0__:*
  `,
  'any bytes': String.raw`
    a: SUBSCRIBE "c\r\n\x00"
    b: PUBLISH "c\r\n\x00" "*1\r\n$4\r\nPING\r\n"
    a: !receive 1
    a: SUBSCRIBE ""
    b: PUBLISH "" ""
    a: !receive 1
    b: PUBLISH "" @x*100000
    a: !receive 1
    b: PUBLISH c
  `,
  'a pipeline of messages': `
    a: SUBSCRIBE c
    b: PUBLISH c 1
    b: PUBLISH c 2
    b: SET k v
    b: PUBLISH c 3
    b: GET k
    b: PUBLISH c @y*20000
    a: !receive 4
  `,
});

/** What concerns any key: expiry, names, cursors, sorting, what a value looks like inside. */

import { programs } from '../program.ts';

export const keys = programs('keys', {
  'existence and type': `
    SET s v
    LPUSH l 1
    SADD e 1
    ZADD z 1 a
    HSET h f v
    XADD x 1-1 f v
    TYPE s
    TYPE l
    TYPE e
    TYPE z
    TYPE h
    TYPE x
    TYPE none
    EXISTS s l none
    DBSIZE
    [any order] KEYS *
    KEYS s*
    KEYS none*
    KEYS [sz]x
    DEL s l e z h x
    DBSIZE
    RANDOMKEY
    EXISTS
    DEL
  `,
  expiry: `
    SET k v
    EXPIRE k 100
    TTL k
    EXPIRE k 200 NX
    EXPIRE k 200 XX
    EXPIRE k 100 GT
    EXPIRE k 100 LT
    TTL k
    EXPIRE k 10 NX XX
    EXPIRE k 10 GT LT
    PEXPIRE k 300000
    TTL k
    [clock] PTTL k
    EXPIREAT k 4102444800
    EXPIRETIME k
    PEXPIREAT k 4102444800123
    PEXPIRETIME k
    PERSIST k
    PERSIST k
    TTL k
    PTTL k
    EXPIRETIME k
    TTL none
    EXPIRE none 10
    EXPIRE k -1
    EXISTS k
    SET k v
    EXPIREAT k 1
    GET k
    SET k v
    EXPIRE k x
    EXPIRE k 9223372036854775807
    EXPIRE k
    EXPIRE k 10 NOSUCH
  `,
  'a key that expires is gone for reads': `
    SET k v PX 1
    DEBUG SLEEP 0.01
    GET k
    EXISTS k
    TTL k
    STRLEN k
    TYPE k
    SET k w NX
    GET k
  `,
  'other names': `
    SET a 1
    RENAME a b
    GET b
    RENAME a b
    SET c 3
    RENAMENX b c
    RENAMENX b d
    GET d
    COPY d e
    COPY d e
    COPY d e REPLACE
    COPY d other DB 3
    COPY d d
    COPY none e
    MOVE d 5
    MOVE d 5
    MOVE e 0
    MOVE e 99
    SELECT 5
    GET d
    SELECT 3
    GET other
  `,
  databases: `
    SET k zero
    SELECT 1
    GET k
    SET k one
    SELECT 0
    GET k
    SWAPDB 0 1
    GET k
    SELECT 1
    GET k
    SWAPDB 0 99
    DBSIZE
    FLUSHDB
    DBSIZE
    SELECT 0
    DBSIZE
    FLUSHDB ASYNC
    DBSIZE
    SET k v
    FLUSHDB SYNC
    FLUSHDB NOSUCH
    FLUSHALL SYNC
    FLUSHALL ASYNC
    SELECT 16
    SELECT -1
    SELECT x
    SELECT
    SET k still-zero
    GET k
  `,
  'each client has its database': `
    a: SELECT 1
    b: SELECT 2
    c: SET k in-zero
    a: SET k in-one
    b: SET k in-two
    c: GET k
    a: GET k
    b: GET k
    a: SELECT 2
    a: GET k
    b: DEL k
    a: GET k
    b: SELECT 0
    b: GET k
    a: SELECT 1
    a: DBSIZE
    a: GET k
  `,
  cursors: `
    MSET k1 1 k2 2 k3 3
    HSET h a 1 b 2
    SADD s 1 2 3
    ZADD z 1 a 2 b
    [any order] KEYS *
    SCAN 0 MATCH k1 COUNT 100
    SCAN 0 MATCH h TYPE hash COUNT 100
    SCAN 0 TYPE nosuch COUNT 100
    HSCAN h 0
    HSCAN h 0 MATCH a* COUNT 10
    SSCAN s 0
    SSCAN s 0 MATCH 2
    ZSCAN z 0
    ZSCAN z 0 MATCH b
    HSCAN none 0
    SCAN x
    SCAN 0 COUNT 0
    SCAN 0 NOSUCH
    HSCAN s 0
    SSCAN s x
    SCAN
  `,
  sorting: `
    RPUSH l 3 1 2 10
    SORT l
    SORT l DESC
    SORT l ALPHA
    SORT l LIMIT 1 2
    MSET w_1 30 w_2 20 w_3 10 w_10 0 o_1 one o_2 two o_3 three o_10 ten
    SORT l BY w_*
    SORT l BY w_* GET o_* GET #
    SORT l BY nosort
    SORT l STORE sorted
    LRANGE sorted 0 -1
    SORT_RO l
    SORT_RO l BY w_* GET o_*
    SORT_RO l STORE x
    SORT none
    RPUSH t b a c
    SORT t
    SORT t ALPHA DESC
    SORT l LIMIT 1
    SET s v
    SORT s
  `,
  'dumped and restored': `
    SET k value
    $dump := DUMP k
    RESTORE copy 0 $dump
    GET copy
    RESTORE copy 0 $dump
    RESTORE copy 100000 $dump REPLACE
    TTL copy
    RESTORE copy 4102444800123 $dump REPLACE ABSTTL
    PEXPIRETIME copy
    RESTORE c 0 $dump IDLETIME 10
    RESTORE c 0 garbage REPLACE
    RESTORE-ASKING d 0 $dump
    GET d
    DUMP none
    RESTORE x -1 $dump
    MIGRATE 127.0.0.1 1 none 0 10
  `,
  'what a value looks like inside': `
    SET i 12345
    SET s short
    SET long @x*100
    RPUSH l 1 2 3
    HSET h f v
    SADD ints 1 2
    SADD words a b
    ZADD z 1 a
    OBJECT ENCODING i
    OBJECT ENCODING s
    OBJECT ENCODING long
    OBJECT ENCODING l
    OBJECT ENCODING h
    OBJECT ENCODING ints
    OBJECT ENCODING words
    OBJECT ENCODING z
    OBJECT ENCODING none
    OBJECT REFCOUNT s
    OBJECT IDLETIME s
    OBJECT FREQ s
    OBJECT HELP
    OBJECT NOSUCH k
    OBJECT
    MEMORY USAGE s
    MEMORY USAGE l SAMPLES 5
    MEMORY USAGE none
    MEMORY USAGE s SAMPLES
    DEBUG OBJECT none
  `,
  'eviction notes for one server': `
    CONFIG SET maxmemory-policy allkeys-lfu
    SET k v
    OBJECT FREQ k
    OBJECT IDLETIME k
    RESTORE none 0 x FREQ 5
    TOUCH k
    CONFIG SET maxmemory-policy noeviction
    OBJECT FREQ k
  `,
});

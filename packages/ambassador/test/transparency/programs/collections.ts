/** Hashes, lists and sets. Sets of words are kept in hash tables, whose order each server chooses. */

import { programs } from '../program.ts';

export const hashes = programs('hashes', {
  fields: `
    HSET h a 1 b 2 c 3
    HSET h a 9 d 4
    HGET h a
    HGET h none
    HGET none a
    HMGET h a none d
    HMGET none a
    HGETALL h
    HGETALL none
    HKEYS h
    HVALS h
    HLEN h
    HEXISTS h a
    HEXISTS h z
    HSTRLEN h a
    HDEL h a none
    HDEL h b c d
    EXISTS h
    HSET h a
    HSET h
    HMSET h x 1 y 2
    HMSET h x
    HSETNX h x 5
    HSETNX h z 5
    HGETALL h
  `,
  'counting in fields': `
    HINCRBY h n 5
    HINCRBY h n -10
    HINCRBY h n x
    HINCRBYFLOAT h f 0.25
    HINCRBYFLOAT h f x
    HSET h s text
    HINCRBY h s 1
    HINCRBYFLOAT h s 1
    HINCRBY h n 9223372036854775807
    HINCRBY h n 9223372036854775807
    HGETALL h
  `,
  'fields by chance': `
    HSET h only one
    HRANDFIELD h
    HRANDFIELD h 5
    HRANDFIELD h -3
    HRANDFIELD h 1 WITHVALUES
    HRANDFIELD none
    HRANDFIELD none 2
    HRANDFIELD h x
    HSET h a 1 b 2
    [chance] HRANDFIELD h
    [any order] HRANDFIELD h 10
    [any order of pairs] HRANDFIELD h 10 WITHVALUES
  `,
  'as maps': `
    [connection id] HELLO 3
    HSET h a 1 b 2
    HGETALL h
    HGETALL none
    HRANDFIELD h 0 WITHVALUES
    HMGET h a none
    HGET h none
    HINCRBYFLOAT h f 1.5
    HKEYS h
    HSCAN h 0
    HEXISTS h a
  `,
  'of the wrong type': `
    SET s v
    HGET s f
    HSET s f v
    HGETALL s
    HDEL s f
    HSCAN s 0
    HRANDFIELD s
    HINCRBY s f 1
  `,
});

export const lists = programs('lists', {
  'both ends': `
    RPUSH l a b c
    LPUSH l z y
    LRANGE l 0 -1
    LRANGE l 1 2
    LRANGE l -2 -1
    LRANGE l 5 10
    LRANGE none 0 -1
    LLEN l
    LPOP l
    RPOP l
    LPOP l 2
    RPOP l 5
    LPOP l
    LPOP l 2
    LPOP none 0
    LPOP l -1
    LPUSHX none x
    RPUSHX none x
    RPUSH l x
    LPUSHX l w
    RPUSHX l y
    LRANGE l 0 -1
  `,
  'in the middle': `
    RPUSH l a b c b a
    LINDEX l 0
    LINDEX l -1
    LINDEX l 10
    LSET l 0 A
    LSET l 10 x
    LSET none 0 x
    LINSERT l BEFORE b new
    LINSERT l AFTER none new
    LINSERT l MIDDLE b new
    LINSERT none BEFORE b new
    LPOS l b
    LPOS l b RANK 2
    LPOS l b COUNT 0
    LPOS l b COUNT 0 MAXLEN 2
    LPOS l none
    LPOS l none COUNT 1
    LPOS l b RANK 0
    LREM l 1 b
    LREM l -1 b
    LREM l 0 none
    LTRIM l 1 2
    LRANGE l 0 -1
    LTRIM l 5 1
    EXISTS l
  `,
  'from one to another': `
    RPUSH a 1 2 3
    LMOVE a b LEFT RIGHT
    LMOVE a b RIGHT LEFT
    RPOPLPUSH a b
    LRANGE b 0 -1
    LMOVE a b LEFT LEFT
    LMOVE b b LEFT RIGHT
    LMOVE a b UP DOWN
    LRANGE b 0 -1
    RPUSH c x y
    LMPOP 2 a c LEFT
    LMPOP 2 a c RIGHT COUNT 5
    LMPOP 1 c LEFT
    LMPOP 0 c LEFT
    LMPOP 1 b LEFT COUNT 0
    RPOPLPUSH none b
  `,
  'of the wrong type': `
    SET s v
    LPUSH s x
    LRANGE s 0 -1
    LPOP s
    LLEN s
    LMOVE s b LEFT LEFT
    RPUSH l x
    LMOVE l s LEFT LEFT
    LRANGE l 0 -1
    LRANGE l x 1
    LINDEX l x
  `,
});

export const sets = programs('sets', {
  numbers: `
    SADD s 3 1 2
    SADD s 3 4
    SCARD s
    SMEMBERS s
    SISMEMBER s 1
    SISMEMBER s 9
    SMISMEMBER s 1 9 2
    SMISMEMBER none 1
    SREM s 1 9
    SMEMBERS s
    SMEMBERS none
    SMOVE s t 2
    SMOVE s t 99
    SMEMBERS t
    SPOP none
    SPOP none 2
    SPOP t
    EXISTS t
    SADD s
  `,
  words: `
    SADD s a b c
    [any order] SMEMBERS s
    SISMEMBER s a
    SADD s a d
    SREM s a b c
    SMEMBERS s
    SPOP s 10
    EXISTS s
  `,
  'between sets': `
    SADD a 1 2 3 4
    SADD b 3 4 5
    SADD c 4 5 6
    SINTER a b
    SINTER a b c
    SINTER a none
    SUNION a b c
    SDIFF a b
    SDIFF a b c
    SINTERCARD 2 a b
    SINTERCARD 2 a b LIMIT 1
    SINTERCARD 3 a b c LIMIT 0
    SINTERCARD 0 a
    SINTERCARD 2 a
    SINTERSTORE d a b
    SUNIONSTORE e a b
    SDIFFSTORE f a b
    SMEMBERS d
    SMEMBERS e
    SMEMBERS f
    SINTERSTORE d a none
    EXISTS d
  `,
  'by chance': `
    SADD s only
    SRANDMEMBER s
    SRANDMEMBER s 5
    SRANDMEMBER s -3
    SRANDMEMBER none
    SRANDMEMBER none 2
    SADD s two
    [chance] SRANDMEMBER s
    [any order] SRANDMEMBER s 10
    [chance] SPOP s
    SCARD s
  `,
  'as sets of RESP3': `
    [connection id] HELLO 3
    SADD s 1 2 3
    SMEMBERS s
    SINTER s s
    SUNION s none
    SPOP s 5
    SMEMBERS s
    SISMEMBER s 1
    SMISMEMBER s 1 2
  `,
  'of the wrong type': `
    SET s v
    SADD s x
    SMEMBERS s
    SINTER s
    SADD t 1
    SINTER t s
    SUNIONSTORE d t s
    SMOVE t s 1
    SPOP s
    SPOP t -1
    SRANDMEMBER t x
  `,
});

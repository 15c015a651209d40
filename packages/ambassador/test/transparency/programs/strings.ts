/** Strings, bitmaps, HyperLogLogs. */

import { programs } from '../program.ts';

export const strings = programs('strings', {
  'SET with every option': `
    SET k v
    GET k
    SET k w NX
    SET new w NX
    SET k w XX
    SET absent w XX
    SET k x GET
    SET fresh x GET
    SET k y NX GET
    SET k v EX 100
    TTL k
    SET k v2 KEEPTTL
    TTL k
    SET k v3
    TTL k
    SET k v PX 100000
    TTL k
    SET k v EXAT 4102444800
    EXPIRETIME k
    SET k v PXAT 4102444800123
    PEXPIRETIME k
    SET k v EX 0
    SET k v EX x
    SET k v EX 1 PX 1
    SET k v NX XX
    SET k v NOSUCH
    SET k
    SET
    set k v
    sEt k v
    GET k
  `,
  'old ways of SET': `
    SETNX k v
    SETNX k w
    SETEX k 100 v
    PSETEX k 100000 v
    TTL k
    SETEX k 0 v
    SETEX k x v
    GETSET k w
    GETSET none w
    GETDEL k
    GETDEL k
    GET k
  `,
  'GETEX reads and writes': `
    SET k v
    GETEX k
    GETEX k EX 100
    TTL k
    GETEX k PERSIST
    TTL k
    GETEX k PXAT 4102444800123
    PEXPIRETIME k
    GETEX none EX 10
    GETEX k EX
    GETEX k NOSUCH 1
  `,
  'many at once': `
    MSET a 1 b 2 c 3
    MGET a b c none
    MSETNX c 4 d 4
    MSETNX d 4 e 5
    MGET a d e
    MSET a
    MSET a 1 b
    MGET
    DEL a b none
    EXISTS a b c c
    UNLINK c d
    TOUCH e none
    STRLEN e
    STRLEN none
  `,
  counting: `
    INCR n
    INCRBY n 41
    DECR n
    DECRBY n 10
    INCRBY n -5
    INCRBY n x
    INCRBY n 9223372036854775807
    INCRBYFLOAT n 0.5
    INCRBYFLOAT n 1e3
    INCR n
    INCRBYFLOAT n nan
    SET s text
    INCR s
    INCRBYFLOAT s 1
    GET n
  `,
  'parts of a string': `
    APPEND k Hello
    APPEND k " World"
    GETRANGE k 0 4
    GETRANGE k -5 -1
    GETRANGE k 5 1
    GETRANGE none 0 -1
    SUBSTR k 0 4
    SETRANGE k 6 Redis
    GET k
    SETRANGE padded 5 x
    GET padded
    SETRANGE k -1 x
    SETRANGE k 536870912 x
    GETRANGE k x 1
  `,
  'the longest common subsequence': `
    MSET a ohmytext b mynewtext
    LCS a b
    LCS a b LEN
    LCS a b IDX
    LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
    LCS a none
    LCS a b LEN IDX
  `,
  'any bytes in names and values': String.raw`
    SET "k\x00\xff\r\n" "\x00\r\n*1\r\n$4\r\nPING\r\n"
    GET "k\x00\xff\r\n"
    SET "" ""
    GET ""
    ECHO ""
    ECHO "\r\n"
    STRLEN "k\x00\xff\r\n"
    SET große Größe
    GET große
  `,
  'large values between small ones': `
    SET big @0123456789abcdef*5000
    STRLEN big
    GET big
    SET small s
    GET small
    SET huge @y*300000
    GET huge
    GET small
    APPEND big @z*70000
    GETRANGE big 79990 80010
    MGET small big small
    ECHO @e*100000
    PING @p*100000
  `,
  'of the wrong type': `
    LPUSH l x
    GET l
    SET l v GET
    INCR l
    APPEND l x
    GETRANGE l 0 1
    STRLEN l
    SETRANGE l 0 x
    MGET l
    GETSET l x
    GETDEL l
    SETBIT l 1 1
    PFADD l x
    LCS l l
  `,
  'no such command, or not so many arguments': String.raw`
    GET
    GET a b
    NOSUCH
    NOSUCH with some arguments
    NOSUCH @a*200 @b*200
    "N\x00\r\nS" x
    "" x
    STRLEN
    MGET
    GETRANGE k
    ECHO
    PING a b
    PING
    PING hello
    get a b c
  `,
});

export const bitmaps = programs('bitmaps', {
  'single bits': `
    SETBIT b 7 1
    SETBIT b 7 0
    SETBIT b 100 1
    GETBIT b 100
    GETBIT b 1000
    GETBIT none 0
    SETBIT b -1 1
    SETBIT b 1 2
    SETBIT b 4294967296 1
    GETBIT b x
    GET b
  `,
  'counts and positions': String.raw`
    SET k foobar
    BITCOUNT k
    BITCOUNT k 0 0
    BITCOUNT k 1 1 BYTE
    BITCOUNT k 5 30 BIT
    BITCOUNT k 0
    BITCOUNT none
    SET p "\xff\xf0\x00"
    BITPOS p 0
    BITPOS p 1 2
    BITPOS p 0 0 -1 BIT
    BITPOS p 2
    BITPOS none 1
  `,
  'operations between them': String.raw`
    SET a "\xf0\xff"
    SET b "\x0f"
    BITOP AND d a b
    GET d
    BITOP OR d a b
    GET d
    BITOP XOR d a b
    GET d
    BITOP NOT d a
    GET d
    BITOP NOT d a b
    BITOP NAND d a
    BITOP AND d none
    EXISTS d
  `,
  fields: `
    BITFIELD f SET u8 0 255 GET u8 0 INCRBY i5 100 1 GET u4 0
    BITFIELD f OVERFLOW SAT INCRBY u2 102 5
    BITFIELD f OVERFLOW FAIL INCRBY u2 102 5
    BITFIELD f OVERFLOW WRAP INCRBY u2 102 5
    BITFIELD f GET u8 #1
    BITFIELD f
    BITFIELD f GET u64 0
    BITFIELD f GET i65 0
    BITFIELD f NOSUCH
    BITFIELD_RO f GET u8 0 GET i8 8
    BITFIELD_RO f SET u8 0 1
    BITFIELD_RO none GET u8 0
  `,
});

export const hyperloglogs = programs('hyperloglogs', {
  'adding, counting, merging': `
    PFADD h a b c d
    PFADD h a b
    PFCOUNT h
    PFADD g d e f
    PFCOUNT h g
    PFMERGE m h g
    PFCOUNT m
    PFCOUNT none
    PFADD empty
    EXISTS empty
    PFMERGE m
    SET s "not one"
    PFADD s x
    PFCOUNT s
    PFMERGE m s
    PFDEBUG ENCODING h
    PFDEBUG TODENSE h
    PFDEBUG ENCODING h
    PFDEBUG GETREG none
  `,
});

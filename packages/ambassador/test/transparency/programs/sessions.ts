/** What a connection is: its protocol, user, database and name; how it begins and ends. */

import { programs } from '../program.ts';

export const sessions = programs('sessions', {
  HELLO: `
    [connection id] HELLO
    [connection id] HELLO 2
    [connection id] HELLO 3
    [connection id] HELLO
    HGETALL none
    GET none
    [connection id] HELLO 2
    HGETALL none
    GET none
    HELLO 1
    HELLO 4
    HELLO x
    HELLO 3 NOSUCH
    HELLO 3 AUTH
    HELLO 3 AUTH default
    HELLO 3 SETNAME
    GET none
    [connection id] hello 3
    GET none
  `,
  'HELLO with a name': `
    [connection id] HELLO 3 SETNAME fred
    CLIENT GETNAME
    [connection id] HELLO 2 SETNAME ""
    CLIENT GETNAME
    HELLO 3 SETNAME "bad name"
    CLIENT GETNAME
    HELLO 4 SETNAME never
    CLIENT GETNAME
    GET none
  `,
  'HELLO and AUTH without a password set': `
    [connection id] HELLO 3 AUTH default any
    HELLO 3 AUTH nobody secret
    HELLO 3 AUTH nobody secret SETNAME x
    GET none
    CLIENT GETNAME
    AUTH default any
    AUTH nobody secret
    AUTH
    AUTH a b c
    ACL WHOAMI
    PING
  `,
  'a password alone, where none is set': `
    AUTH secret
    [connection id] HELLO 3
    AUTH secret
    PING
  `,
  users: `
    a: ACL SETUSER alice on >secret ~a:* +@all -@dangerous
    b: AUTH alice wrong
    b: ACL WHOAMI
    b: AUTH alice secret
    b: ACL WHOAMI
    b: SET a:1 v
    b: GET a:1
    b: SET b:1 v
    b: GET b:1
    b: FLUSHALL
    b: NOSUCH
    b: MULTI
    b: SET b:1 v
    b: SET a:2 v
    b: EXEC
    b: PUBLISH c x
    b: SUBSCRIBE c
    b: EVAL "return redis.call('GET', 'b:1')" 0
    c: [connection id] HELLO 3 AUTH alice secret SETNAME carl
    c: ACL WHOAMI
    c: CLIENT GETNAME
    c: GET a:1
    c: GET b:1
    c: GET a:none
    a: ACL WHOAMI
    a: GET b:1
    b: RESET
    b: ACL WHOAMI
    b: GET b:1
    b: AUTH alice secret
    b: SELECT 2
    b: SET a:1 two
    b: AUTH default any
    b: ACL WHOAMI
    b: GET a:1
    b: RESET
    c: RESET
    a: ACL DELUSER alice
  `,
  'a user who may do little': `
    a: ACL SETUSER mini on nopass ~* +get +auth
    b: AUTH mini any
    b: GET k
    b: SET k v
    b: PING
    b: SELECT 1
    b: [connection id] HELLO 3
    b: MULTI
    b: SUBSCRIBE c
    b: INFO
    b: RESET
    b: QUIT
    a: ACL DELUSER mini
    !silent
  `,
  RESET: `
    [connection id] HELLO 3 SETNAME me
    SELECT 5
    SET k five
    RESET
    CLIENT GETNAME
    GET k
    HGETALL none
    SELECT 5
    GET k
    RESET x
    reset
    GET k
  `,
  'RESET in one pipeline with others': `
    SELECT 1
    SET k one
    RESET
    SET k zero
    GET k
    SELECT 1
    GET k
    RESET
    GET k
  `,
  QUIT: `
    SET k v
    QUIT
    !closes
  `,
  'QUIT with more behind it': String.raw`
    a: 1 !burst "*1\r\n$4\r\nQUIT\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\ngarbage"
    a: !closes
    b: GET n
  `,
  'QUIT with arguments': `
    QUIT now
    !silent
  `,
  'a plain line QUIT': String.raw`
    3 !burst "SET k v\r\nGET k\r\nQUIT\r\nGET k\r\n"
    !closes
  `,
  names: `
    CLIENT GETNAME
    CLIENT SETNAME me
    CLIENT GETNAME
    CLIENT SETNAME "with space"
    CLIENT SETNAME ""
    CLIENT GETNAME
    CLIENT SETNAME
    CLIENT GETNAME x
    client setname Me
    client getname
    [connection id] HELLO 3
    CLIENT SETNAME ""
    CLIENT GETNAME
  `,
  'databases in a pipeline': `
    SET k 0
    SELECT 1
    SET k 1
    GET k
    SELECT 2
    SET k 2
    GET k
    SELECT 0
    GET k
    SELECT 1
    GET k
    SELECT 2
    GET k
    SELECT 99
    GET k
    DBSIZE
  `,
});

export const wire = programs('the wire', {
  'plain lines': String.raw`
    1 !raw "PING\r\n"
    1 !raw "PING\n"
    1 !raw "  PING   hello  \r\n"
    1 !raw "set k v\r\n"
    1 !raw "get k\r\n"
    1 !raw "SET \"a key\" 'a value'\r\n"
    1 !raw "GET \"a\\x20key\"\r\n"
    1 !raw "GET 'a key'\r\n"
    1 !raw "NOSUCH x\r\n"
    1 !raw "GET\r\n"
    3 !raw "PING\r\nECHO x\r\nPING\r\n"
    GET k
  `,
  'empty requests are skipped': String.raw`
    1 !raw "\r\n\r\nPING\r\n"
    1 !raw "*0\r\nPING\r\n"
    1 !raw "*-1\r\nPING\r\n"
    1 !raw "*-10\r\nPING\r\n"
    1 !raw "\n\n  \r\nPING\r\n"
    2 !raw "PING\r\n*0\r\n\r\n*1\r\n$4\r\nPING\r\n"
    GET k
  `,
  'arrays and lines mixed': String.raw`
    4 !raw "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\nGET k\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n"
    GET k
  `,
  'an empty command': String.raw`
    1 !raw "*1\r\n$0\r\n\r\n"
    1 !raw "*2\r\n$0\r\n\r\n$1\r\nx\r\n"
    PING
  `,
  'a count that is none': String.raw`
    a: !raw "*x\r\n"
    a: !closes
    b: !burst "*1x\r\n$4\r\nPING\r\n"
    b: !closes
    c: !raw "*99999999999\r\n"
    c: !closes
  `,
  'a length that is none': String.raw`
    a: !raw "*1\r\n$x\r\n"
    a: !closes
    b: !raw "*1\r\n$-1\r\n"
    b: !closes
    c: !raw "*1\r\n$536870913\r\n"
    c: !closes
    d: !raw "*1\r\n$9999999999999999999\r\n"
    d: !closes
    e: !raw "*2\r\n$3\r\nGET\r\n:1\r\n"
    e: !closes
    f: !raw "*2\r\n$3\r\nGET\r\n\r\n"
    f: !closes
    g: !raw "*1\r\nPING\r\n"
    g: !closes
  `,
  'good requests before a bad one': String.raw`
    a: 2 !burst "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n!4\r\nPING\r\n"
    a: !closes
    b: GET k
    c: 1 !burst "PING\r\n*x\r\nPING\r\n"
    c: !closes
  `,
  'quotes that do not match': String.raw`
    a: !raw "SET \"k v\r\n"
    a: !closes
    b: !raw "SET 'k'x v\r\n"
    b: !closes
    c: 1 !burst "PING\r\nGET \"\r\nPING\r\n"
    c: !closes
  `,
  'a line longer than any': String.raw`
    !raw @x*65537
    !closes
  `,
  'what browsers say': String.raw`
    a: !burst "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    a: !closes
    b: !raw "Host: localhost\r\n"
    b: !closes
    c: 1 !raw "GET / HTTP/1.1\r\n"
  `,
  'line ends inside arguments': String.raw`
    2 !raw "*3\r\n$3\r\nSET\r\n$4\r\n\r\n\r\n\r\n$2\r\n\r\n\r\n*2\r\n$3\r\nGET\r\n$4\r\n\r\n\r\n\r\n"
    DBSIZE
  `,
  'wrong ends of arguments are not looked at': String.raw`
    2 !burst "*2\r\n$3\r\nGETxx$1\r\nkxx*1\r\n$4\r\nPING\r\n"
    PING
  `,
  'leading zeros and signs': String.raw`
    1 !burst "*01\r\n$04\r\nPING\r\n"
    !silent
  `,
  'many arguments': `
    RPUSH l @x*1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
    LLEN l
    DEL l a b c d e f g h i j k l m n o p q r s t u v w x y z
  `,
  'a long pipeline': String.raw`
    500 !raw "@PING\r\n*500"
    PING
  `,
});

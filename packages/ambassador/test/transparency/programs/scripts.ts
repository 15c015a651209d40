/** Scripts and functions. */

import { programs } from '../program.ts';

export const scripts = programs('scripts', {
  'answers of every type': String.raw`
    EVAL "return 1" 0
    EVAL "return 3.99" 0
    EVAL "return 'text'" 0
    EVAL "return nil" 0
    EVAL "return true" 0
    EVAL "return false" 0
    EVAL "return {1,'two',{3,{4}},false,true,5.5}" 0
    EVAL "return {1,nil,3}" 0
    EVAL "return {}" 0
    EVAL "return {ok='fine'}" 0
    EVAL "return {err='MYERR something'}" 0
    EVAL "return redis.error_reply('My error')" 0
    EVAL "return redis.status_reply('done')" 0
    EVAL "return {KEYS[1],ARGV[1],ARGV[2]}" 1 k a b
    EVAL "return #KEYS .. ':' .. #ARGV" 2 a b c d e
    EVAL "error('stop')" 0
    EVAL "return redis.call('NOSUCH')" 0
    EVAL "return redis.pcall('NOSUCH')" 0
    EVAL "return redis.call('GET')" 0
    EVAL "not lua" 0
    EVAL "return 1" -1
    EVAL "return 1" x
    EVAL "return 1" 2 k
    EVAL "return 1"
    EVAL
  `,
  'reading and writing': String.raw`
    SET k 5
    EVAL "return redis.call('GET', KEYS[1])" 1 k
    EVAL "return redis.call('INCRBY', KEYS[1], ARGV[1])" 1 k 10
    GET k
    EVAL "redis.call('SET', KEYS[1], 'x'); return redis.call('LPUSH', KEYS[1], 'y')" 1 k
    GET k
    EVAL "local r = redis.pcall('LPUSH', KEYS[1], 'y'); return r.err" 1 k
    EVAL "for i=1,10 do redis.call('RPUSH', KEYS[1], i) end return redis.call('LRANGE', KEYS[1], 0, -1)" 1 l
    LLEN l
    EVAL_RO "return redis.call('LLEN', KEYS[1])" 1 l
    EVAL_RO "return redis.call('DEL', KEYS[1])" 1 l
    EVAL_RO "return redis.call('GET', KEYS[1])" 1 k
    EVAL "return redis.sha1hex('')" 0
    EVAL "return cjson.encode({a=1})" 0
    EVAL "return cmsgpack.unpack(cmsgpack.pack({1,2,3}))" 0
    EVAL "redis.call('SELECT', 3); redis.call('SET', 'in3', 'y'); return redis.call('GET', 'in3')" 0
    GET in3
    SELECT 3
    GET in3
  `,
  'by their digest': String.raw`
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 k
    SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db
    $sha := SCRIPT LOAD "return redis.call('GET', KEYS[1])"
    SET k v
    EVALSHA $sha 1 k
    EVALSHA_RO $sha 1 k
    evalsha $sha 1 k
    SCRIPT EXISTS $sha ffffffffffffffffffffffffffffffffffffffff
    EVAL "return redis.call('TTL', KEYS[1])" 1 k
    EVALSHA short 0
    EVALSHA
    SCRIPT LOAD "not lua"
    SCRIPT FLUSH
    SCRIPT EXISTS $sha
    EVALSHA $sha 1 k
    EVALSHA_RO $sha 1 k
    SCRIPT LOAD "return redis.call('GET', KEYS[1])"
    EVALSHA $sha 1 k
    SCRIPT FLUSH ASYNC
    EVALSHA $sha 1 k
    SCRIPT FLUSH SYNC
    SCRIPT FLUSH NOSUCH
    SCRIPT KILL
    SCRIPT HELP
    SCRIPT NOSUCH
    SCRIPT
  `,
  debugged: `
    SCRIPT DEBUG NO
    !receive
    SCRIPT DEBUG NOSUCH
  `,
  'known to every client': String.raw`
    a: $sha := SCRIPT LOAD "return redis.call('INCR', KEYS[1])"
    b: EVALSHA $sha 1 n
    c: EVALSHA $sha 1 n
    b: SCRIPT EXISTS $sha
    c: SCRIPT FLUSH
    a: EVALSHA $sha 1 n
    b: SCRIPT EXISTS $sha
    b: EVAL "return redis.call('INCR', KEYS[1])" 1 n
    a: EVALSHA $sha 1 n
    a: GET n
  `,
  'in a pipeline with others': String.raw`
    SET k 1
    EVAL "return redis.call('INCR', KEYS[1])" 1 k
    GET k
    INCR k
    EVAL "return redis.call('INCR', KEYS[1])" 1 k
    INCR k
    EVAL_RO "return redis.call('GET', KEYS[1])" 1 k
    INCR k
    EVALSHA ffffffffffffffffffffffffffffffffffffffff 0
    INCR k
    EVAL "return redis.call('INCR', KEYS[1])" 1 k
    GET k
  `,
  'a digest unknown, then writes, all in one pipeline': String.raw`
    EVALSHA 8a0bb5d5a2c1a3d3d3d3d3d3d3d3d3d3d3d3d3d3 1 k
    SET k after
    GET k
    EVALSHA 8a0bb5d5a2c1a3d3d3d3d3d3d3d3d3d3d3d3d3d3 1 k
    APPEND k !
    GET k
  `,
  'with flags in their first line': String.raw`
    SET k v
    EVAL "#!lua\nreturn redis.call('GET', KEYS[1])" 1 k
    EVAL "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])" 1 k
    EVAL "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 'w')" 1 k
    EVAL "#!lua flags=allow-stale,no-writes\nreturn redis.call('GET', KEYS[1])" 1 k
    EVAL "#!lua flags=nosuch\nreturn 1" 0
    EVAL "#!nosuch\nreturn 1" 0
    EVAL_RO "#!lua\nreturn 1" 0
    EVAL_RO "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])" 1 k
    $sha := SCRIPT LOAD "#!lua flags=no-writes\nreturn redis.call('STRLEN', KEYS[1])"
    EVALSHA $sha 1 k
    EVALSHA_RO $sha 1 k
    GET k
  `,
  'in RESP3': String.raw`
    [connection id] HELLO 3
    EVAL "return {1,false,true,'x'}" 0
    EVAL "return {double=1.5}" 0
    EVAL "return {map={a=1}}" 0
    EVAL "redis.setresp(3); return redis.call('HGETALL', KEYS[1])" 1 none
    EVAL "redis.setresp(3); return true" 0
    EVAL "redis.setresp(3); return {set={a=true}}" 0
    EVAL "return {big_number='123456789012345678901234567890'}" 0
    EVAL "return nil" 0
    EVAL "return {err='E x'}" 0
    HSET h f 1
    EVAL "redis.setresp(3); return redis.call('HGETALL', KEYS[1])" 1 h
    EVAL "return redis.call('HGETALL', KEYS[1])" 1 h
  `,
  'inside a transaction': String.raw`
    MULTI
    EVAL "return redis.call('INCR', KEYS[1])" 1 n
    EVALSHA ffffffffffffffffffffffffffffffffffffffff 0
    SCRIPT EXISTS ffffffffffffffffffffffffffffffffffffffff
    EVAL_RO "return redis.call('GET', KEYS[1])" 1 n
    EXEC
    GET n
  `,
});

const library = String.raw`"#!lua name=lib\nredis.register_function('put', function(k, a) return redis.call('SET', k[1], a[1]) end) redis.register_function{function_name='peek', callback=function(k) return redis.call('GET', k[1]) end, flags={'no-writes'}}"`;

export const functions = programs('functions', {
  'loaded and called': String.raw`
    FUNCTION LOAD ${library}
    FUNCTION LOAD ${library}
    FUNCTION LOAD REPLACE ${library}
    FCALL put 1 k v
    FCALL peek 1 k
    FCALL_RO peek 1 k
    FCALL_RO put 1 k w
    FCALL none 0
    FCALL put x
    fcall peek 1 k
    GET k
    FUNCTION STATS
    FUNCTION KILL
    FUNCTION HELP
    FUNCTION NOSUCH
    FUNCTION LOAD "no shebang"
    FUNCTION LOAD "#!lua\nreturn 1"
    FUNCTION DELETE lib
    FUNCTION DELETE lib
    FCALL peek 1 k
  `,
  'listed, dumped, restored, flushed': String.raw`
    FUNCTION LOAD "#!lua name=one\nredis.register_function('only', function() return 1 end)"
    FUNCTION LIST
    FUNCTION LIST LIBRARYNAME o* WITHCODE
    FUNCTION LIST LIBRARYNAME none
    $dump := FUNCTION DUMP
    FUNCTION FLUSH
    FUNCTION LIST
    FUNCTION RESTORE $dump
    FUNCTION RESTORE $dump
    FUNCTION RESTORE $dump REPLACE
    FUNCTION RESTORE garbage
    FCALL only 0
    FUNCTION FLUSH ASYNC
    FUNCTION FLUSH SYNC
    FCALL only 0
  `,
  'known to every client at once': String.raw`
    a: FUNCTION LOAD "#!lua name=two\nredis.register_function{function_name='ro', callback=function(k) return redis.call('GET', k[1]) end, flags={'no-writes'}}"
    b: SET k v
    b: FCALL_RO ro 1 k
    c: FCALL ro 1 k
    b: FUNCTION DELETE two
    c: FCALL_RO ro 1 k
    a: FCALL ro 1 k
  `,
  'in RESP3': String.raw`
    [connection id] HELLO 3
    FUNCTION LOAD "#!lua name=r3\nredis.register_function('three', function() redis.setresp(3) return redis.call('HGETALL', 'none') end)"
    FCALL three 0
    FUNCTION LIST
    FUNCTION STATS
  `,
});

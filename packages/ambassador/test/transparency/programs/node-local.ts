/**
 * What tells which server answered: counters, logs and ages that each server keeps for itself. The same as on a plain
 * Redis where every read goes to the primary; with reads at replicas each of these is a difference that docs/ambassador.md
 * names.
 */

import { programs } from '../program.ts';

export const nodeLocal = programs('node-local', {
  'MONITOR sees reads': String.raw`
    a: MONITOR
    b: GET k
    b: MGET k l
    b: EVAL_RO "return redis.call('GET', 'x')" 0
    a: [monitored] !seen "\"GET\" \"k\"" "\"MGET\" \"k\" \"l\"" EVAL_RO "\"GET\" \"x\""
    a: 0 RESET
    a: !seen RESET
  `,
  'INFO counts reads': `
    CONFIG RESETSTAT
    SET k v
    GET k
    GET k
    GET none
    MGET k none
    [calls] INFO commandstats
    [calls] INFO stats
  `,
  'SLOWLOG keeps reads': `
    SLOWLOG RESET
    CONFIG SET slowlog-log-slower-than 0
    GET slow-read
    CONFIG SET slowlog-log-slower-than 10000
    [slow reads] SLOWLOG GET 50
    SLOWLOG RESET
  `,
  'reads keep a key young': `
    CONFIG SET maxmemory-policy allkeys-lfu
    CONFIG SET lfu-log-factor 0
    SET k v
    GET k
    GET k
    GET k
    OBJECT FREQ k
    CONFIG SET lfu-log-factor 10
    CONFIG SET maxmemory-policy noeviction
  `,
  'reads delete what has expired': `
    DEBUG SET-ACTIVE-EXPIRE 0
    SET k v PX 1
    DEBUG SLEEP 0.01
    DBSIZE
    GET k
    DBSIZE
    DEBUG SET-ACTIVE-EXPIRE 1
  `,
});

/** What concerns the server: its commands, configuration, users, logs, replication. */

import { programs } from '../program.ts';

export const server = programs('server', {
  'commands described': `
    COMMAND COUNT
    COMMAND INFO GET SET nosuch
    [any order] COMMAND INFO BLPOP XREADGROUP
    COMMAND DOCS GET
    COMMAND DOCS nosuch
    [any order] COMMAND LIST FILTERBY PATTERN xrea*
    [any order] COMMAND LIST FILTERBY ACLCAT transaction
    [any order] COMMAND LIST
    [any order inside] COMMAND
    COMMAND GETKEYS MSET a 1 b 2
    COMMAND GETKEYS EVAL "return 1" 2 a b c
    COMMAND GETKEYS PING
    COMMAND GETKEYSANDFLAGS SET k v
    COMMAND GETKEYSANDFLAGS LMOVE a b LEFT LEFT
    COMMAND HELP
    COMMAND NOSUCH
  `,
  'time and small talk': `
    [clock] TIME
    PING
    PING hello
    ECHO hello
    LOLWUT VERSION 99
    [clock] LASTSAVE
    ROLE x
    READONLY
    READWRITE
    ASKING
    [replication] WAIT 0 0
    TIME x
  `,
  INFO: `
    [server facts] INFO server
    [server facts] INFO clients
    [server facts] INFO memory
    [server facts] INFO persistence
    [server facts] INFO cpu
    [server facts] INFO modules
    INFO cluster
    INFO nosuch
    SET k v
    INFO keyspace
  `,
  'its role': `
    [replication, server facts] INFO replication
    [replication] ROLE
  `,
  configuration: `
    CONFIG GET maxmemory
    [any order of pairs] CONFIG GET maxmemory*
    [any order of pairs] CONFIG GET save appendonly nosuch
    CONFIG SET hash-max-listpack-entries 100
    CONFIG GET hash-max-listpack-entries
    CONFIG SET hash-max-listpack-entries 128
    CONFIG SET nosuch x
    CONFIG SET maxmemory notanumber
    CONFIG SET port
    CONFIG RESETSTAT
    CONFIG REWRITE
    CONFIG HELP
    CONFIG NOSUCH
    [connection id] HELLO 3
    CONFIG GET maxmemory
  `,
  users: `
    ACL WHOAMI
    ACL USERS
    ACL LIST
    ACL GETUSER default
    ACL GETUSER nobody
    [any order] ACL CAT scripting
    [any order] ACL CAT
    ACL CAT nosuch
    ACL SETUSER zoe on >pw ~z:* &c:* +get
    ACL GETUSER zoe
    ACL LIST
    ACL DRYRUN zoe GET z:1
    ACL DRYRUN zoe GET a:1
    ACL DRYRUN zoe SET z:1 v
    ACL DELUSER zoe nobody
    ACL SETUSER zoe nosuchrule
    [chance] ACL GENPASS
    ACL GENPASS x
    ACL LOAD
    ACL SAVE
    ACL LOG RESET
    ACL LOG
    ACL HELP
    ACL NOSUCH
  `,
  logs: `
    SLOWLOG RESET
    CONFIG SET slowlog-log-slower-than 1000000
    SLOWLOG LEN
    SLOWLOG GET
    SLOWLOG GET 5
    SLOWLOG GET x
    SLOWLOG HELP
    CONFIG SET slowlog-log-slower-than 10000
    LATENCY LATEST
    LATENCY HISTORY command
    LATENCY RESET
    LATENCY GRAPH command
    [server facts] LATENCY DOCTOR
    LATENCY HISTOGRAM nosuch
    LATENCY HELP
    LATENCY NOSUCH
  `,
  memory: `
    [server facts] MEMORY DOCTOR
    [server facts] MEMORY MALLOC-STATS
    MEMORY PURGE
    [server facts] MEMORY STATS
    MEMORY HELP
    MEMORY NOSUCH
  `,
  modules: `
    MODULE LIST
    MODULE LOAD /nonexistent
    MODULE LOADEX /nonexistent
    MODULE UNLOAD nosuch
    MODULE HELP
    MODULE NOSUCH
  `,
  debugging: `
    DEBUG SLEEP 0
    DEBUG SLEEP 0.01
    SET k v
    [chance] DEBUG DIGEST-VALUE k
    DEBUG DIGEST-VALUE k
    DEBUG DIGEST
    DEBUG HELP
    DEBUG NOSUCH
    DEBUG JMAP
    DEBUG SET-ACTIVE-EXPIRE 0
    DEBUG SET-ACTIVE-EXPIRE 1
    DEBUG STRINGMATCH-LEN 10 a
    DEBUG PROTOCOL string
    DEBUG PROTOCOL integer
    DEBUG PROTOCOL double
    DEBUG PROTOCOL null
    DEBUG PROTOCOL array
    DEBUG PROTOCOL set
    DEBUG PROTOCOL map
    DEBUG PROTOCOL attrib
    DEBUG PROTOCOL verbatim
    DEBUG PROTOCOL true
    DEBUG PROTOCOL false
    DEBUG PROTOCOL bignum
    GET k
  `,
  'every type of RESP3': `
    [connection id] HELLO 3
    DEBUG PROTOCOL string
    DEBUG PROTOCOL integer
    DEBUG PROTOCOL double
    DEBUG PROTOCOL null
    DEBUG PROTOCOL array
    DEBUG PROTOCOL set
    DEBUG PROTOCOL map
    DEBUG PROTOCOL attrib
    DEBUG PROTOCOL push
    DEBUG PROTOCOL verbatim
    DEBUG PROTOCOL true
    DEBUG PROTOCOL false
    DEBUG PROTOCOL bignum
    [server facts] INFO server
    [server facts] MEMORY DOCTOR
    GET none
  `,
  'a cluster that is none': `
    CLUSTER INFO
    CLUSTER NODES
    CLUSTER SLOTS
    CLUSTER KEYSLOT k
    CLUSTER MYID
    CLUSTER HELP
    CLUSTER
  `,
  saving: `
    SAVE
    [clock] LASTSAVE
    BGSAVE NOSUCH
    BGREWRITEAOF x
    SHUTDOWN NOSUCH
    SHUTDOWN ABORT
    REPLICAOF
    REPLICAOF 127.0.0.1 notaport
    SLAVEOF x
    FAILOVER ABORT
    FAILOVER TO
    PSYNC
    REPLCONF x
  `,
});

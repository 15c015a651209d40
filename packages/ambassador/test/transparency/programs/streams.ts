/** Streams and their consumer groups. Identifiers are given, so that two servers agree. */

import { programs } from '../program.ts';

export const streams = programs('streams', {
  entries: `
    XADD s 1-1 f v
    XADD s 1-2 f v g w
    XADD s 1-* f v
    XADD s 1-1 f v
    XADD s 0-0 f v
    XADD s x f v
    XADD s 2-1 f
    XADD s NOMKSTREAM 2-1 f v
    XADD none NOMKSTREAM 2-1 f v
    XADD s MAXLEN 3 3-1 f v
    XADD s MAXLEN ~ 1000 4-1 f v
    XADD s MINID 2 5-1 f v
    [clock] XADD s * f v
    XLEN s
    XLEN none
    XRANGE s - 5
    XRANGE s - + COUNT 1
    XRANGE s (2-1 5
    XREVRANGE s 5 -
    XREVRANGE s 5 - COUNT 2
    XRANGE s x y
    XRANGE none - +
    XDEL s 4-1 9-9
    XTRIM s MAXLEN 2
    XTRIM s MINID 5
    XTRIM s MAXLEN ~ 1 LIMIT 5
    XTRIM s NOSUCH 1
    XSETID none 1-1
  `,
  'identifiers set': `
    XADD s 1-1 f v
    XSETID s 9-9
    XADD s 5-5 f v
    XADD s 9-10 f v
    XSETID s 20-1 ENTRIESADDED 7 MAXDELETEDID 3-3
    XINFO STREAM s
    XSETID s 1-1
  `,
  reading: `
    XADD a 1-1 f 1
    XADD a 2-1 f 2
    XADD b 1-1 g 1
    XREAD STREAMS a 0
    XREAD COUNT 1 STREAMS a b 0 0
    XREAD STREAMS a b 2-1 1-1
    XREAD STREAMS a $
    XREAD STREAMS a
    XREAD STREAMS a x
    XREAD COUNT x STREAMS a 0
    XREAD NOSUCH
    XREAD STREAMS none 0
    xread count 5 streams a b 1-1 0
  `,
  groups: `
    XGROUP CREATE none g $
    XGROUP CREATE s g 0 MKSTREAM
    XGROUP CREATE s g 0
    XADD s 1-1 f 1
    XADD s 2-1 f 2
    XADD s 3-1 f 3
    XREADGROUP GROUP g alice COUNT 2 STREAMS s >
    XREADGROUP GROUP g bob STREAMS s >
    XREADGROUP GROUP g bob STREAMS s >
    XREADGROUP GROUP g alice STREAMS s 0
    XREADGROUP GROUP g alice NOACK STREAMS s >
    XREADGROUP GROUP none alice STREAMS s >
    XREADGROUP GROUP g alice STREAMS s $
    XPENDING s g
    XPENDING s none
    XACK s g 1-1 9-9
    XACK s none 1-1
    [clock] XPENDING s g - + 10
    [clock] XPENDING s g - + 10 alice
    XPENDING s g IDLE 1000000 - + 10
    XCLAIM s g carol 0 2-1
    XCLAIM s g carol 0 3-1 JUSTID
    XCLAIM s g carol 1000000 3-1
    XCLAIM s none carol 0 3-1
    XAUTOCLAIM s g dave 0 0 COUNT 10
    XAUTOCLAIM s g dave 0 0 JUSTID
    XAUTOCLAIM s g dave 1000000 0
    XGROUP CREATECONSUMER s g eve
    XGROUP CREATECONSUMER s g eve
    XGROUP DELCONSUMER s g dave
    XGROUP SETID s g 0
    XGROUP SETID s g 1-1 ENTRIESREAD 1
    XGROUP HELP
    XGROUP NOSUCH s g
    XINFO GROUPS s
    [clock] XINFO CONSUMERS s g
    XINFO STREAM s
    [clock] XINFO STREAM s FULL
    XINFO STREAM none
    XINFO HELP
    XGROUP DESTROY s g
    XGROUP DESTROY s g
    XINFO GROUPS s
  `,
  'as RESP3': `
    [connection id] HELLO 3
    XADD s 1-1 f 1
    XGROUP CREATE s g 0
    XREAD STREAMS s 0
    XREAD STREAMS s 5
    XREADGROUP GROUP g c STREAMS s >
    XRANGE s - +
    XINFO STREAM s
    XINFO GROUPS s
    XPENDING s g
  `,
  'of the wrong type': `
    SET s v
    XADD s 1-1 f v
    XLEN s
    XREAD STREAMS s 0
    XGROUP CREATE s g 0
    XRANGE s - +
  `,
});

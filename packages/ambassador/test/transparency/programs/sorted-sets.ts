/** Sorted sets and positions on the earth. */

import { programs } from '../program.ts';

export const sortedSets = programs('sorted sets', {
  adding: `
    ZADD z 1 a 2 b 3 c
    ZADD z 1 a
    ZADD z NX 5 a 4 d
    ZADD z XX 6 a 7 new
    ZADD z XX CH 1 a 2 b
    ZADD z GT CH 0 a 9 d
    ZADD z LT CH 5 d
    ZADD z INCR 2.5 a
    ZADD z NX INCR 1 a
    ZADD z NX XX 1 a
    ZADD z GT LT 1 a
    ZADD z INCR 1 a 2 b
    ZADD z x a
    ZADD z 1
    ZADD z
    ZADD z inf top -inf bottom
    ZADD z nan n
    ZCARD z
    ZRANGE z 0 -1 WITHSCORES
    ZINCRBY z 10 b
    ZINCRBY z x b
    ZINCRBY z -inf top
    ZREM z a none
    ZSCORE z b
    ZSCORE z none
    ZMSCORE z b none d
    ZMSCORE none a
  `,
  ranges: `
    ZADD z 1 a 2 b 3 c 4 d 5 e
    ZRANGE z 1 3
    ZRANGE z 0 -1 REV
    ZRANGE z 1 3 REV WITHSCORES
    ZRANGE z (1 4 BYSCORE
    ZRANGE z -inf +inf BYSCORE LIMIT 1 2
    ZRANGE z 4 1 BYSCORE REV
    ZRANGE z [b (d BYLEX
    ZRANGE z 0 -1 LIMIT 0 1
    ZRANGE z x 1
    ZREVRANGE z 0 1
    ZREVRANGE z 0 1 WITHSCORES
    ZRANGEBYSCORE z 2 (4
    ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 1 2
    ZREVRANGEBYSCORE z 4 2
    ZRANGEBYSCORE z x y
    ZCOUNT z 2 4
    ZCOUNT z (2 (4
    ZRANK z c
    ZREVRANK z c
    ZRANK z none
    ZRANK none c
    ZRANGESTORE out z 1 2
    ZRANGESTORE out2 z 2 4 BYSCORE
    ZRANGE out 0 -1
    ZRANGE out2 0 -1
    ZRANGESTORE out none 0 -1
    EXISTS out
  `,
  'alike in score': `
    ZADD l 0 a 0 b 0 c 0 d 0 e
    ZRANGEBYLEX l - +
    ZRANGEBYLEX l [b (d
    ZRANGEBYLEX l - + LIMIT 1 2
    ZREVRANGEBYLEX l (d [b
    ZLEXCOUNT l - +
    ZLEXCOUNT l [b [d
    ZRANGEBYLEX l b d
    ZREMRANGEBYLEX l [a (c
    ZRANGE l 0 -1
  `,
  removing: `
    ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
    ZREMRANGEBYRANK z 0 0
    ZREMRANGEBYSCORE z (5 +inf
    ZRANGE z 0 -1
    ZPOPMIN z
    ZPOPMAX z
    ZPOPMIN z 5
    ZPOPMAX z
    ZPOPMIN none 2
    ZADD z 1 a
    ZPOPMIN z 0
    ZPOPMIN z -1
    ZADD y 1 p 2 q
    ZMPOP 2 none y MIN
    ZMPOP 2 none y MAX COUNT 10
    ZMPOP 1 y MIN
    ZMPOP 1 z MIDDLE
  `,
  'between sorted sets': `
    ZADD a 1 x 2 y 3 z
    ZADD b 10 y 20 z 30 w
    ZUNION 2 a b
    ZUNION 2 a b WITHSCORES
    ZUNION 2 a b WEIGHTS 2 3 AGGREGATE MAX WITHSCORES
    ZINTER 2 a b WITHSCORES
    ZINTER 2 a b AGGREGATE MIN WITHSCORES
    ZDIFF 2 a b
    ZDIFF 2 a b WITHSCORES
    ZINTERCARD 2 a b
    ZINTERCARD 2 a b LIMIT 1
    ZUNIONSTORE u 2 a b
    ZINTERSTORE i 2 a b WEIGHTS 1 2
    ZDIFFSTORE d 2 a b
    ZRANGE u 0 -1 WITHSCORES
    ZRANGE i 0 -1 WITHSCORES
    ZRANGE d 0 -1 WITHSCORES
    ZUNION 0 a
    ZUNION 3 a b
    ZUNIONSTORE u 1 none
    EXISTS u
    SADD plain 1 2
    ZUNION 2 a plain WITHSCORES
  `,
  'by chance': `
    ZADD z 1 only
    ZRANDMEMBER z
    ZRANDMEMBER z 3
    ZRANDMEMBER z -2 WITHSCORES
    ZRANDMEMBER none
    ZRANDMEMBER none 2
    ZADD z 2 two
    [chance] ZRANDMEMBER z
    [any order] ZRANDMEMBER z 9
  `,
  'scores as doubles of RESP3': `
    [connection id] HELLO 3
    ZADD z 1.5 a inf b 3 c
    ZSCORE z a
    ZSCORE z none
    ZRANGE z 0 -1 WITHSCORES
    ZPOPMIN z
    ZPOPMAX z 1
    ZINCRBY z 0.1 c
    ZADD z INCR 1 c
    ZMSCORE z c none
    ZRANDMEMBER z 1 WITHSCORES
    ZUNION 1 z WITHSCORES
    ZMPOP 1 z MIN
    ZRANK z none
    ZSCAN z 0
  `,
  'of the wrong type': `
    SET s v
    ZADD s 1 a
    ZRANGE s 0 -1
    ZSCORE s a
    ZUNION 1 s
    ZADD z 1 a
    ZUNIONSTORE d 2 z s
    ZPOPMIN s
    ZRANGEBYSCORE s 0 1
  `,
});

export const geo = programs('geo', {
  places: `
    GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    GEOADD g NX 13 38 Palermo
    GEOADD g XX CH 13.3613 38.1155 Palermo
    GEOADD g 200 100 nowhere
    GEOADD g 13 38
    GEOPOS g Palermo none
    GEOPOS none x
    GEODIST g Palermo Catania
    GEODIST g Palermo Catania km
    GEODIST g Palermo none
    GEODIST g Palermo Catania miles
    GEOHASH g Palermo Catania none
    ZRANGE g 0 -1
  `,
  searching: `
    GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 edge
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC
    GEOSEARCH g FROMMEMBER Palermo BYBOX 400 400 km ASC COUNT 2 WITHCOORD WITHDIST WITHHASH
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY
    GEOSEARCH g FROMMEMBER none BYRADIUS 1 km
    GEOSEARCH none FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCH g BYRADIUS 200 km
    GEOSEARCHSTORE out g FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCHSTORE dist g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST
    ZRANGE out 0 -1
    ZCARD dist
    GEORADIUS g 15 37 200 km WITHDIST ASC
    GEORADIUS g 15 37 200 km STORE r
    ZRANGE r 0 -1
    GEORADIUS_RO g 15 37 200 km ASC
    GEORADIUS_RO g 15 37 200 km STORE r
    GEORADIUSBYMEMBER g Palermo 200 km ASC
    GEORADIUSBYMEMBER g Palermo 200 km STOREDIST r
    GEORADIUSBYMEMBER_RO g Palermo 200 km DESC WITHCOORD
    GEORADIUSBYMEMBER_RO g none 200 km
  `,
  'as RESP3': `
    [connection id] HELLO 3
    GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    GEOPOS g Palermo none
    GEODIST g Palermo Catania
    GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHCOORD WITHDIST
  `,
});

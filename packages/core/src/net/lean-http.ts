/**
 * node:http without what nobody here uses of it. Importing a built-in as an ES module reads every export once, and one of
 * node:http's loads Node's own copy of undici: 45 ms and 13 MB for each daemon. `require` reads nothing ahead.
 */

import { createRequire } from 'node:module';
import type nodeHttp from 'node:http';

export const http = createRequire(import.meta.url)('node:http') as typeof nodeHttp;

/** The language between the reflector's decisions (core.ts) and its sockets and timers (reflect.ts). */

import type { Failure } from './failure.ts';
import type { ApiObject } from './types.ts';

/** What to do next. `at` is the control URL whose identity was checked. */
export type Step =
  | { readonly do: 'identify' }
  /** `limit` 0 asks for everything in one page. */
  | {
      readonly do: 'list';
      readonly at: string;
      readonly limit: number;
      readonly continue: string | undefined;
    }
  | {
      readonly do: 'watch';
      readonly at: string;
      /** Undefined: the initial events come first (watch-list). */
      readonly revision: string | undefined;
      readonly timeoutSeconds: number;
    }
  | { readonly do: 'wait'; readonly delayMs: number };

/** How it went. */
export type Outcome =
  | {
      readonly result: 'identified';
      readonly url: string;
      /** Undefined where we may not know. */
      readonly identity: string | undefined;
      /** The server's current revision, where it says. */
      readonly revision: string | undefined;
    }
  | {
      readonly result: 'page';
      readonly items: readonly ApiObject[];
      readonly revision: string;
      /** Undefined: this was the last page. */
      readonly continue: string | undefined;
    }
  /** The server ended the watch in order. */
  | { readonly result: 'ended' }
  | { readonly result: 'failed'; readonly failure: Failure }
  | { readonly result: 'waited' };

/** What is known of one server, shared by all reflectors that talk to it. */
export interface ServerTraits {
  /** It has not refused `sendInitialEvents` so far. */
  watchList: boolean;
  /** It has sent a bookmark, so a stream without any for long is dead. */
  bookmarks: boolean;
}

export function unknownServer(): ServerTraits {
  return { watchList: true, bookmarks: false };
}

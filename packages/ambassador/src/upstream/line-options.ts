/** What a line to a server is made with. */

import type { Identity } from '../session/state.ts';
import type { Line } from './line.ts';
import type { Server } from './server.ts';
import type { Refusal } from './welcome.ts';
import type { OpenWire } from './wire.ts';

export interface LineOptions {
  readonly server: Server;
  readonly identity: Identity;
  /** Belongs to one session: it may be paused, and its pushes are that session's. */
  readonly exclusive: boolean;
  /** To read from a replica of a Redis Cluster. */
  readonly readonly: boolean;
  /** Good enough at a server that is too busy to say who it is: it is for one command, and serves nobody after. */
  readonly evenBusy: boolean;
  readonly openWire: OpenWire;
  /** Aggregates within aggregates in an answer; with more the server is out of protocol. */
  readonly maxDepth: number;
  /** Calls `turnEnded` once this turn's requests are in. */
  readonly soon: (line: Line) => void;
  readonly now: () => number;
  /** It is over: failed to open, or lost. */
  readonly onLost: (line: Line, refusal: Refusal, was: 'opening' | 'open') => void;
  /** An answer is an error, and no rejection: for counting. */
  readonly onErrorReply: (line: Line) => void;
}

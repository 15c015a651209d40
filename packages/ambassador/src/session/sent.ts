/** A run of one session: what it takes to give its answers in order, and to send it again. */

import { RequestEvent, RequestScanner } from '@outrigger/core/resp';
import type { AckedRun } from './acks.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import type { Line } from '../upstream/line.ts';
import { Run } from '../upstream/run.ts';
import type { RunOwner } from '../upstream/run.ts';
import { Class } from '../observe/names.ts';
import type { Transaction } from './own-line.ts';
import type { PinReason } from './state.ts';

export type Place = 'primary' | 'replica' | 'own';

export interface TransactionPart {
  readonly of: Transaction;
  /** The first request that belongs to it, counted from 0. */
  readonly from: number;
  /** Commands queued before that; −1: it is MULTI. */
  readonly behind: number;
}

export class Sent extends Run {
  readonly place: Place;
  readonly realm: Realm;
  readonly shard: Shard;
  /** Of its requests, counted from 1, the last that may change something; 0 is none. */
  lastMutating = 0;
  /** The requests as sent: kept until they are answered, in case they have to be sent again. */
  readonly bytes: Uint8Array[] = [];
  keptBytes = 0;
  /** It holds a request too large to keep: nothing of it can be sent again. */
  streamed = false;
  /** Answers the client gets from this run, and those it or its queue has got. */
  expected = 0;
  delivered = 0;
  /** Answers that wait for those of earlier runs. */
  readonly parts: Uint8Array[] = [];
  /** CLIENT REPLY OFF or SKIP: the client gets none of its answers. */
  mute = false;
  /** Keeps its answers back until replicas have what it writes. */
  acks: AckedRun | undefined;
  /** Looks at its one answer before the client does, and gives what the client gets instead. */
  capture: ((reply: Buffer) => Uint8Array) | undefined;
  /** The first rejected answer, counted from 0; everything from there on is kept back in `kept`. −1: none. */
  rejectedAt = -1;
  kept: Uint8Array[] = [];
  /** Behind the rejected answer came one that was not rejected. */
  executedBehind = false;
  /** Which part of a gathered command it is (gathering.ts); −1: none. */
  part = -1;
  /** Its rejections have been delivered: none is kept back any more. */
  settled = false;
  /** Part of what its connection holds, a transaction say: meaningless anywhere else, and at another time. */
  rooted = false;
  /** The transactions it has a part of. */
  transactions: TransactionPart[] | undefined;
  /** For whose sake it has its connection while they are not answered: reason → the last of them, counted from 1. */
  pins: Map<PinReason, number> | undefined;
  /** Scripts that were known when it began. */
  scriptsKnown = 0;
  /** For metrics. */
  commandClass: Class = Class.other;
  serverIndex = 0;

  constructor(owner: RunOwner, line: Line, place: Place, realm: Realm, shard: Shard) {
    super(owner, line);
    this.place = place;
    this.realm = realm;
    this.shard = shard;
  }

  /** Something may have been changed by its requests from number `from` (counted from 0) on. */
  mutatesFrom(from: number): boolean {
    return this.lastMutating > from;
  }

  /** As `lastMutating`, of what has left, once its line is lost; at most that. */
  get lastAtLarge(): number {
    return Math.min(this.lastMutating, this.expected - this.unsent);
  }

  /** Ends it before request number `from`: what is behind, as bytes. */
  cut(from: number): Uint8Array {
    const taken = this.requestsFrom(from);
    const left = Buffer.concat(this.bytes).subarray(0, this.keptBytes - taken.length);
    this.bytes.length = 0;
    this.bytes.push(left);
    this.keptBytes = left.length;
    this.expected = from;
    this.delivered = Math.min(this.delivered, from);
    this.transactions = this.transactions?.filter((part) => part.from < from);
    this.lastMutating = Math.min(this.lastMutating, from);
    this.kept = [];
    this.rejectedAt = -1;
    return taken;
  }

  /** Its requests from number `from` on, as bytes. */
  requestsFrom(from: number): Uint8Array {
    const bytes = this.bytes.length === 1 ? (this.bytes[0] as Uint8Array) : Buffer.concat(this.bytes);
    const scanner = new RequestScanner();
    let at = 0;
    for (let skip = from; skip > 0;) {
      if (scanner.next(bytes, at) === RequestEvent.end) skip--;
      at = scanner.offset;
    }
    return bytes.subarray(at);
  }
}

/** One watch: what it wants, how far it has been told, when it gets a bookmark and when it ends. */

import type { Clock, Timer } from '@outrigger/core/clock';
import type { Scope } from '../cache/resource-cache.ts';
import type { Resource } from '../registry/resource.ts';
import type { Representation } from '../represent/representation.ts';
import type { EventType, Frame } from './frame.ts';
import { eventLine, frameOf } from './frame.ts';
import type { WatchLimits } from './limits.ts';
import type { Selection } from './selection.ts';
import type { WatchSink } from './sink.ts';

export interface WatchSpec {
  readonly resource: Resource;
  readonly scope: Scope;
  readonly selection: Selection;
  readonly represent: Representation;
  /** `state`: everything that exists as ADDED, then what follows. `after`: what follows a revision. */
  readonly start:
    | { readonly type: 'state'; readonly endMark: boolean }
    | { readonly type: 'after'; readonly revision: number };
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

/** `slow` and `stalled` are cut off, `expired` is told 410, the others end in good order. */
export type EndReason = 'client' | 'timeout' | 'shutdown' | 'expired' | 'slow' | 'stalled' | 'failed';

export interface WatcherHost {
  readonly clock: Clock;
  readonly limits: WatchLimits;
  /** Every watcher has been told everything up to this revision. */
  settled(): number;
  /** Called once, whatever ended it. */
  ended(watcher: Watcher, reason: EndReason): void;
}

/** The last bookmark comes this long before the timeout, so that the next watch starts from a recent revision. */
const lastBookmarkBeforeEndMs = 2_000;

export class Watcher {
  readonly spec: WatchSpec;
  /** Told everything up to this revision. */
  position = 0;
  /** Gets events as they come; before that it is still being told what was. */
  live = false;
  readonly #host: WatcherHost;
  readonly #sink: WatchSink;
  readonly #endsAt: number;
  #bookmarkAt: number;
  #announced = 0;
  #fresh = true;
  #closed = false;
  #timer: Timer | undefined;
  #onClose: (() => void) | undefined;

  constructor(spec: WatchSpec, sink: WatchSink, host: WatcherHost) {
    this.spec = spec;
    this.#sink = sink;
    this.#host = host;
    const now = host.clock.now();
    this.#endsAt = now + spec.timeoutMs;
    const last = this.#endsAt - lastBookmarkBeforeEndMs;
    const first = now + host.limits.bookmarkMs;
    this.#bookmarkAt = last > now ? Math.min(first, last) : first;
  }

  /** Begins to follow the clock and the peer; the host knows this watcher by now. */
  begin(): void {
    this.#arm();
    this.#sink.onceClosed(() => this.#close('client'));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing was sent yet: tables owe their column definitions. */
  get fresh(): boolean {
    return this.#fresh;
  }

  get pendingBytes(): number {
    return this.#sink.pendingBytes;
  }

  /** Sends events up to a revision. Live watchers that do not read are cut off, never waited for. */
  send(frame: Frame, upTo: number): void {
    if (this.#closed) return;
    if (this.live && this.#sink.pendingBytes > this.#host.limits.watchBufferBytes) {
      this.cut('slow');
      return;
    }
    this.#fresh = false;
    this.position = upTo;
    this.#announced = upTo;
    this.#sink.write(frame);
  }

  sendBookmark(revision: number, annotations?: Readonly<Record<string, string>>): void {
    const object = this.spec.represent.bookmark(revision, annotations);
    this.send(frameOf([eventLine('BOOKMARK', object)]), revision);
  }

  /** Starts counting what was announced from here: a watch from a revision already knows that revision. */
  startAt(revision: number): void {
    this.position = revision;
    this.#announced = revision;
  }

  /** Resolves when what is pending has gone out or the watch has ended; a reader that takes nothing is cut off. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      const { clock, limits } = this.#host;
      const stall = clock.setTimeout(() => this.cut('stalled'), limits.watchStallMs);
      const done = (): void => {
        stall.cancel();
        this.#onClose = undefined;
        resolve();
      };
      this.#onClose = done;
      this.#sink.onceDrained(done);
    });
  }

  /** Ends the stream with a last ERROR event. */
  fail(status: object): void {
    if (this.#closed) return;
    this.#sink.write(frameOf([eventLine('ERROR' satisfies EventType, Buffer.from(JSON.stringify(status)))]));
    this.end('expired');
  }

  end(reason: EndReason): void {
    if (this.#close(reason)) this.#sink.end();
  }

  cut(reason: 'slow' | 'stalled' | 'failed'): void {
    if (this.#close(reason)) this.#sink.cut();
  }

  #close(reason: EndReason): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#timer?.cancel();
    this.#host.ended(this, reason);
    this.#onClose?.();
    return true;
  }

  #arm(): void {
    const { clock } = this.#host;
    const next = this.spec.bookmarks ? Math.min(this.#bookmarkAt, this.#endsAt) : this.#endsAt;
    this.#timer = clock.setTimeout(() => this.#due(), Math.max(0, next - clock.now()));
  }

  #due(): void {
    const now = this.#host.clock.now();
    if (now >= this.#endsAt) {
      this.end('timeout');
      return;
    }
    if (this.spec.bookmarks && now >= this.#bookmarkAt) this.#periodicBookmark(now);
    if (!this.#closed) this.#arm();
  }

  #periodicBookmark(now: number): void {
    const last = this.#endsAt - lastBookmarkBeforeEndMs;
    const next = now + this.#host.limits.bookmarkMs;
    this.#bookmarkAt = now < last ? Math.min(next, last) : Number.POSITIVE_INFINITY;
    const revision = Math.max(this.position, this.#host.settled());
    if (this.live && revision > this.#announced) this.sendBookmark(revision);
  }
}

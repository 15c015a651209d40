/**
 * A client joined to a connection of its own: subscribed, monitoring, or speaking what nobody here can follow. Bytes pass
 * untouched both ways.
 *
 * It need not be for ever. Behind an UNSUBSCRIBE, or a SUBSCRIBE that was refused, the server is asked for a command that does not exist, named by a word
 * that no client can know: once the error about it comes back everything before it has been answered, and the last count
 * tells whether the client is still subscribed. A server says that a command is unknown before it considers anything
 * else; PING it would refuse while it loads, while a script holds it up, or to a user who may not. RESET has an answer of
 * its own. What changes the connection in any other way keeps the two joined for good.
 */

import { decodeReply, encodeCommand, encodeError, ReplyEvent, ReplyScanner } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import type { Line } from '../upstream/line.ts';
import type { Session } from './session.ts';

/** A frame up to this size is held until it is whole; a longer one is passed on as it comes. */
const maxHeldBytes = 65_536;
const minus = 0x2d;
const resetReply = Buffer.from('+RESET\r\n');
const subscribing = /^[*>]3\r\n\$\d+\r\n(?:p|s)?(?:un)?subscribe\r\n/i;

type Barrier = { readonly word: string; readonly done: () => void } | { readonly word: undefined };

/** What becomes of what cannot be read. */
interface Unread {
  mayBlindly(): boolean;
  malformed(): void;
}

export class RawMode {
  readonly #session: Session;
  readonly #line: Line;
  readonly #leave: () => void;
  readonly #scanner = new ReplyScanner();
  /** What was sent here changes the connection: no way back. */
  #forGood: boolean;
  /** What comes cannot be followed, and is not looked at any more. */
  #blind: boolean;
  readonly #unread: Unread;
  #ended = false;
  /** Nothing keeps the two joined any more. */
  #over = false;
  /** Nothing of the client's is passed on until this is answered. */
  #barrier: Barrier | undefined;
  /** What goes on being answered. */
  readonly #began = new Set<Command>();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** When this, or draining, began; or when the server of a client that cannot be followed said something last. */
  #saidMs: number;

  constructor(session: Session, line: Line, blind: boolean, unread: Unread, leave: () => void) {
    this.#session = session;
    this.#line = line;
    this.#leave = leave;
    this.#blind = blind;
    // What is queued in a transaction leaves no trace before EXEC, and a question of ours would spoil that.
    this.#forGood = blind || session.own.inMulti;
    this.#unread = unread;
    this.#saidMs = session.ports.now();
    line.startRaw((chunk) => this.#received(chunk));
    line.wait(session);
  }

  /** The client is not to be read from. */
  get waits(): boolean {
    return this.#barrier !== undefined || this.#line.full;
  }

  /** The rules of this moment would not have let it come to this. */
  get forbidden(): boolean {
    const { context, state } = this.#session;
    if (this.#blind && !this.#unread.mayBlindly()) return true;
    return [...this.#began].some((command) => context.refusal(command, state) !== undefined);
  }

  /** Passes on what the client sent next. False: nothing, or not yet. */
  step(): boolean {
    // No answer is owed by count, so nothing else would tell of the line's end.
    this.#line.wait(this.#session);
    if (this.#barrier !== undefined || this.#line.full) return false;
    const { feed } = this.#session;
    if (this.#blind) {
      for (const bytes of feed.takeAll()) this.#line.write(bytes);
      return false;
    }
    switch (feed.next()) {
      case 'more':
        this.#flush();
        return feed.turn();
      case 'foreign':
        return this.#foreign();
      case 'frame':
        return this.#frame();
      default:
        feed.accept();
        return true;
    }
  }

  /** The client says no more: the server hears it, and answers what it has before it closes. */
  clientEnded(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flush();
    this.#line.endWriting();
  }

  drain(): void {
    this.#saidMs = this.#session.ports.now();
  }

  /** Draining: what was said last has had its time. A subscriber hears of no end, so others talking keeps it no longer. */
  get drained(): boolean {
    const { ports, context } = this.#session;
    const left = this.#saidMs + context.limits.drainQuietMs - ports.now();
    if (left > 0) this.#session.waiting.wakeIn(left);
    return left <= 0;
  }

  end(): void {
    this.#barrier = undefined;
    Object.assign(this.#session.state.counts, { sub: 0, psub: 0, ssub: 0 });
    this.#line.leave(this.#session);
  }

  #foreign(): boolean {
    if (this.#unread.mayBlindly()) {
      this.#flush();
      this.#forGood = this.#blind = true;
      return true;
    }
    this.#unread.malformed();
    return false;
  }

  #frame(): boolean {
    const session = this.#session;
    const { feed } = session;
    const command = session.known();
    if (command === undefined) {
      this.#flush();
      return false;
    }
    session.command = command;
    const refusal =
      session.context.refusal(command, session.state, session.typed(command)) ?? session.placing.straying();
    if (refusal !== undefined) {
      this.#flush();
      feed.drop();
      this.#ask(() => session.toClient(encodeError(refusal)));
      return true;
    }
    feed.accept();
    if (command.route === 'subscribe' || command.route === 'monitor') this.#began.add(command);
    session.state.commands++;
    session.state.lastCommand = command.name;
    if (command.name === 'RESET') {
      this.#flush();
      this.#barrier = { word: undefined };
    } else if (command.name.endsWith('UNSUBSCRIBE')) {
      this.#flush();
      // Within a transaction it would spoil that, and there is no way back from there anyway.
      if (!this.#forGood) this.#ask(() => {});
    } else if (!this.#harmless(command)) this.#forGood = true;
    return true;
  }

  /** It leaves nothing in the connection that outlives the subscription. */
  #harmless({ route, name }: Command): boolean {
    if (route === 'read' || route === 'write' || route === 'primary' || route === 'cursor') return true;
    return route === 'script' || route === 'scriptRead' || name.endsWith('SUBSCRIBE');
  }

  #flush(): void {
    const bytes = this.#session.feed.takeRun();
    if (bytes !== undefined) this.#line.write(bytes);
  }

  /** Everything before this has been answered when `done` is called; then it is seen whether to leave. */
  #ask(done: () => void): void {
    const word = `outrigger-${this.#session.context.random.next().toString(36).slice(2)}`;
    this.#barrier = { word, done };
    this.#line.write(encodeCommand([word]));
  }

  // ---- what the server sends

  #received(chunk: Uint8Array): void {
    if (this.#blind && this.#barrier === undefined) {
      this.#saidMs = this.#session.ports.now();
      this.#session.toClient(chunk);
      return;
    }
    let at = 0;
    let from = 0;
    for (;;) {
      const event = this.#scanner.next(chunk, at);
      at = this.#scanner.offset;
      if (event === ReplyEvent.more) break;
      const frame = this.#whole(chunk.subarray(from, at));
      from = at;
      if (frame !== undefined && !this.#isOurs(frame)) this.#session.toClient(frame);
      if (this.#over) {
        this.#goBack(chunk.subarray(at));
        return;
      }
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
    this.#session.advance();
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= maxHeldBytes) return;
    for (const held of this.#held) this.#session.toClient(held);
    this.#held = [];
  }

  /** The frame that ends with `last`; what of it was passed on already is nobody's business any more. */
  #whole(last: Uint8Array): Uint8Array | undefined {
    const passedOn = this.#heldBytes > maxHeldBytes;
    const frame = this.#held.length === 0 ? last : Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    if (!passedOn) return frame;
    this.#session.toClient(last);
    return undefined;
  }

  /** Whether the frame answers our question; also counts subscriptions. */
  #isOurs(frame: Uint8Array): boolean {
    const head = Buffer.from(frame.buffer, frame.byteOffset, Math.min(frame.byteLength, 128)).toString(
      'latin1',
    );
    if (subscribing.test(head)) this.#count(frame, head);
    if (this.#barrier === undefined) {
      // SUBSCRIBE was refused, it may be, and nothing else has joined the two.
      const refused = frame[0] === minus && !this.#subscribed;
      if (refused && !this.#forGood && !this.#ended) this.#ask(() => {});
      return false;
    }
    const { word } = this.#barrier;
    if (word === undefined) {
      if (resetReply.equals(frame)) queueMicrotask(() => this.#session.wasReset());
      return false;
    }
    if (frame[0] !== minus || !head.toLowerCase().includes(word)) return false;
    const { done } = this.#barrier;
    this.#barrier = undefined;
    done();
    this.#over = !this.#subscribed && !this.#forGood;
    return true;
  }

  get #subscribed(): boolean {
    const { sub, psub, ssub } = this.#session.state.counts;
    return sub + psub + ssub > 0;
  }

  /** Answers are counted again. A push may come behind the last one: of a client that tracks keys, say. */
  #goBack(rest: Uint8Array): void {
    this.#line.endRaw(rest);
    this.#line.leave(this.#session);
    this.#leave();
    this.#session.advance();
  }

  #count(frame: Uint8Array, head: string): void {
    const value = decodeReply(frame);
    if (value.type !== 'push' && value.type !== 'list') return;
    const [, , last] = value.items;
    if (last?.type !== 'integer') return;
    const kind = /\n(?<kind>[psun]*)subscribe/i.exec(head)?.groups?.['kind']?.toLowerCase() ?? '';
    const { counts } = this.#session.state;
    const count = Number(last.value);
    // What is said of channels and patterns is the sum of both, of which this changes one.
    if (kind.startsWith('s')) counts.ssub = count;
    else if (kind.startsWith('p')) counts.psub = count - counts.sub;
    else counts.sub = count - counts.psub;
  }
}

/**
 * Requests on their way out: those accepted for one line gather in a run, and leave together when the client's bytes are
 * used up, or before anything goes elsewhere.
 */

import { takeMuted } from '../locals/mute.ts';
import { Bytes, classOf, Place as Counted } from '../observe/names.ts';
import type { Line } from '../upstream/line.ts';
import { AckedRun, wantsAcks } from './acks.ts';
import type { Transaction } from './own-line.ts';
import type { Target } from './target.ts';
import { Sent } from './sent.ts';
import type { Place } from './sent.ts';
import type { Session } from './session.ts';
import type { PinReason } from './state.ts';

export interface Sending {
  /** Why it needs a connection of its own until it is answered. */
  readonly pin?: PinReason | undefined;
  /** It belongs to what the session's own connection holds. */
  readonly rooted?: boolean;
  /** Sent instead of the request shown. */
  readonly replaced?: Uint8Array | undefined;
  /** Known already: the client does not want the answer. */
  readonly muted?: boolean | undefined;
  /** Looks at its answer before the client gets it, and gives what the client gets instead. */
  readonly capture?: ((reply: Buffer) => Uint8Array) | undefined;
}

export class Outbox {
  readonly #session: Session;
  /** Accepted requests go into it; those that have not been sent are counted. */
  #run: Sent | undefined;
  #accepted = 0;
  /** The error of a request whose rest is being swallowed. */
  #swallowing: string | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Nothing accepted waits to be sent. */
  get empty(): boolean {
    return this.#accepted === 0;
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** The run that the last request went into, sent or not. */
  get last(): Sent | undefined {
    return this.#run ?? this.#session.ledger.last;
  }

  /** A request is being passed on, or swallowed, as it arrives. */
  get streaming(): boolean {
    return this.#run?.streamed === true;
  }

  /** What passes as it arrives comes faster than its server takes it; the session is told when that is over. */
  get clogged(): boolean {
    const line = this.#run?.streamed === true ? this.#run.line : undefined;
    if (line?.full !== true) return false;
    line.wait(this.#session);
    return true;
  }

  /** The request shown goes to `line`. */
  accept(line: Line, place: Place, target: Target, sending: Sending = {}): true {
    const { state, context, command, feed, repeats, waiting, gathering, own } = this.#session;
    const { replaced, capture } = sending;
    const mute = gathering?.mute ?? sending.muted ?? takeMuted(state);
    const alone =
      replaced !== undefined || capture !== undefined || repeats.hasPrelude || gathering !== undefined;
    // WAIT comes behind what it is asked for; in a transaction it would be a part of that.
    const inMulti = own.inMulti && this.#run?.acks !== undefined;
    if (alone || inMulti || this.#run?.line !== line || this.#run.mute !== mute) this.flush();
    this.#run ??= this.#newRun(line, place, target, mute);
    const run = this.#run;
    run.capture = capture;
    this.#accepted++;
    if (sending.rooted === true) run.rooted = true;
    this.#note(run, own.transaction);
    if (sending.pin !== undefined) (run.pins ??= new Map()).set(sending.pin, run.expected + this.#accepted);
    if (line.exclusive && wantsAcks(this.#session, command)) {
      run.acks ??= new AckedRun(this.#session, run);
      // EXEC whose watched keys have changed, and what has waited for an element in vain, have written nothing.
      const orNull = command.route === 'exec' || command.route === 'blocking';
      run.acks.writes.set(run.expected + this.#accepted - 1, orNull);
    }
    if (command.mutates) run.lastMutating = run.expected + this.#accepted;
    if (repeats.hasPrelude) repeats.sendPrelude(line);
    if (replaced === undefined) feed.accept();
    else {
      feed.drop();
      this.#send(run, replaced);
    }
    repeats.placed();
    // It says how its next part is to be asked.
    gathering?.sentWith(run);
    if (capture !== undefined || gathering !== undefined) this.flush();
    waiting.over();
    if (gathering === undefined) state.commands++;
    state.lastCommand = command.name;
    context.counters.sent(command.index, counted[place]);
    return true;
  }

  /** Sends what was accepted. */
  flush(): void {
    const bytes = this.#session.feed.takeRun();
    if (this.#run === undefined || bytes === undefined || this.#swallowing !== undefined) return;
    this.#send(this.#run, bytes);
  }

  /** The request shown has its answer; what of it is still to come is for nobody. */
  swallow(error: Uint8Array): void {
    this.#swallowing = Buffer.from(error).toString('latin1');
    this.#run = undefined;
  }

  /** Its requests need not be kept any longer. */
  answered(run: Sent): void {
    if (run.line.written) for (const bytes of run.bytes) this.#session.ports.released(bytes);
  }

  /** The last of a streamed request has arrived: its error, if it is to have one of ours. */
  streamEnded(): Uint8Array | undefined {
    const { feed } = this.#session;
    this.flush();
    feed.accept();
    this.#run?.acks?.ask(this.#run.line);
    this.#run = undefined;
    const error = this.#swallowing;
    this.#swallowing = undefined;
    if (error === undefined) return undefined;
    feed.takeRun();
    return Buffer.from(error, 'latin1');
  }

  #note(run: Sent, of: Transaction | undefined): void {
    if (of === undefined || run.transactions?.at(-1)?.of === of) return;
    const from = run.expected + this.#accepted - 1;
    const behind = of.begun ? this.#session.own.lastQueued : -1;
    (run.transactions ??= []).push({ of, from, behind });
    of.begun = true;
  }

  #newRun(line: Line, place: Place, { realm, shard }: Target, mute: boolean): Sent {
    const { context, command } = this.#session;
    const run = new Sent(this.#session.answers, line, place, realm, shard);
    run.mute = mute;
    if (place === 'replica') run.replica = this.#session.readsOf(shard).replica;
    run.commandClass = classOf(command.route);
    run.scriptsKnown = context.scripts.learned;
    run.serverIndex = context.counters.servers.index(line.server.name);
    return run;
  }

  #send(run: Sent, bytes: Uint8Array): void {
    const { ledger, feed, context, ports } = this.#session;
    const count = this.#accepted;
    if (run.expected === 0) ledger.add(run);
    ledger.sent(run, count, feed.streaming || run.streamed ? undefined : bytes);
    this.#accepted = 0;
    if (!run.streamed) this.#run = undefined;
    context.counters.bytes(Bytes.toServer, bytes.length);
    run.line.send(run, bytes, count);
    // Not kept, and a line of one session's own sends at once.
    if (run.streamed && run.line.written) ports.released(bytes);
    if (!run.streamed) run.acks?.ask(run.line);
  }
}

const counted = { primary: Counted.primary, replica: Counted.replica, own: Counted.own } as const;

/**
 * The first words on a connection to a server: log in, choose protocol and database, and ask who answers, before any
 * byte of a client. All questions leave in one write; their answers are read one by one.
 *
 * The `run_id` of `INFO server` names the process that proofs of replication are about (topology.ts), `ROLE` whether it
 * may be written to. Where the user may not ask, both stay unknown: a primary is then believed on its word, and a
 * replica serves only sessions that need no proof.
 */

import { encodeCommand } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Identity } from '../session/state.ts';
import { infoField } from '../topology/info.ts';

export interface Welcome {
  /** '' when the server does not tell. */
  readonly runId: string;
  readonly role: 'master' | 'slave' | 'unknown';
  /** CLIENT ID of this connection at the server; 0 when it does not tell. */
  readonly clientId: number;
  /** What HELLO answered; undefined from servers before Redis 6. */
  readonly hello: RespValue | undefined;
  /** A script kept it from saying who it is, and from choosing the database. */
  readonly busy?: boolean;
}

/** Why a connection cannot be used. */
export interface Refusal {
  readonly why: string;
  /** The server's own error, for the client whose AUTH, SELECT or HELLO asked for this connection. */
  readonly error: string | undefined;
}

type Step = 'auth' | 'hello' | 'select' | 'id' | 'info' | 'role' | 'readonly';

/** A script runs for long, and the server refuses all but what ends it. */
export function isBusy(error: string): boolean {
  return error.startsWith('BUSY ');
}

/** The connection is good, only this question is not allowed. Anything else turns it away: too many clients, say. */
const mayNotAsk = /^(NOAUTH|NOPERM|ERR unknown command|ERR unknown subcommand|ERR Unknown subcommand)/;

export class WelcomeTalk {
  readonly request: Buffer;
  readonly #steps: Step[] = [];
  readonly #identity: Identity;
  readonly #evenBusy: boolean;
  #next = 0;
  #welcome: { -readonly [K in keyof Welcome]: Welcome[K] } = {
    runId: '',
    role: 'unknown',
    clientId: 0,
    hello: undefined,
  };

  /**
   * `readonly`: the connection is to read from a replica of a Redis Cluster. `evenBusy`: it is good enough at a server
   * that is too busy to answer, since it is for a command that ends that.
   */
  constructor(identity: Identity, readonly: boolean, evenBusy = false) {
    this.#identity = identity;
    this.#evenBusy = evenBusy;
    const commands: Buffer[] = [];
    const say = (step: Step, ...args: (string | number)[]): void => {
      this.#steps.push(step);
      commands.push(encodeCommand(args));
    };
    const { user, password, protocol, database } = identity;
    // A password alone is for AUTH: HELLO would log the default user in with any, where none is set.
    const inHello = protocol === 3 && user !== undefined && password !== undefined;
    if (password !== undefined && !inHello)
      say('auth', 'AUTH', ...(user === undefined ? [] : [user]), password);
    say('hello', 'HELLO', protocol, ...(inHello ? ['AUTH', user, password] : []));
    if (database !== 0) say('select', 'SELECT', database);
    say('id', 'CLIENT', 'ID');
    say('info', 'INFO', 'server');
    say('role', 'ROLE');
    if (readonly) say('readonly', 'READONLY');
    this.request = Buffer.concat(commands);
  }

  /** Takes the next answer: undefined while more are to come. */
  take(value: RespValue): Welcome | Refusal | undefined {
    if (value.type === 'push') return undefined;
    const step = this.#steps[this.#next++] as Step;
    const refusal = value.type === 'error' ? this.#refused(step, value.text) : this.#heard(step, value);
    if (refusal !== undefined) return refusal;
    return this.#next === this.#steps.length ? this.#welcome : undefined;
  }

  #refused(step: Step, error: string): Refusal | undefined {
    if (isBusy(error) && step !== 'auth' && step !== 'hello') {
      this.#welcome.busy = true;
      // It says nothing about who asks.
      return this.#evenBusy ? undefined : { why: error, error: undefined };
    }
    if (step === 'auth') return { why: `it refused our login: ${error}`, error };
    if (step === 'hello' && this.#identity.protocol === 3)
      return { why: `it refused HELLO 3: ${error}`, error };
    if (step === 'select' && !error.startsWith('NOAUTH')) {
      return { why: `it refused SELECT ${this.#identity.database}: ${error}`, error };
    }
    return step === 'readonly' || mayNotAsk.test(error) ? undefined : { why: error, error: undefined };
  }

  #heard(step: Step, value: RespValue): undefined {
    if (step === 'hello') this.#welcome.hello = value;
    if (step === 'id' && value.type === 'integer') this.#welcome.clientId = Number(value.value);
    if (step === 'info') this.#welcome.runId = infoField(textOf(value), 'run_id') ?? '';
    if (step === 'role' && value.type === 'list') {
      const role = value.items[0] === undefined ? '' : textOf(value.items[0]);
      if (role === 'master' || role === 'slave') this.#welcome.role = role;
    }
  }
}

function textOf(value: RespValue): string {
  if (value.type === 'bulk') return value.bytes.toString('latin1');
  return value.type === 'verbatim' ? value.text : '';
}

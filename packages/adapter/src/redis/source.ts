/**
 * A Redis or Valkey server as a source, in the metric names of redis_exporter. The first scrape asks INFO alone to learn
 * what else the server can be asked; from then on everything goes in one write on a connection that is kept.
 */

import type { MetricsSource } from '@outrigger/core/api';
import type { MetricFamily } from '@outrigger/core/exposition';
import type { Deps } from '@outrigger/core/lifecycle';
import { fileOf, secretFrom } from '../http/options.ts';
import type { SecretFrom } from '../http/options.ts';
import { readSecret } from '../http/secrets.ts';
import { FamilyBuilder } from '../sources/families.ts';
import { SourceError } from '../sources/source.ts';
import type { Answer, Asked, FailureClass, Place, Source } from '../sources/source.ts';
import { addConfig, addHistograms, addLatest, addSlowest, addSlowLength, configValues } from './answers.ts';
import { connectRedis } from './connection.ts';
import type { RedisConnection, RedisServer, Reply } from './connection.ts';
import { redisFailure } from './failure.ts';
import { parseInfo } from './info.ts';
import type { Info } from './info.ts';
import { optionalQuestions, questions, Refusals } from './questions.ts';
import { addClusterInfo, addInfo, commandsOf, flat } from './sections.ts';
import { redisServerAt } from './server.ts';

export type RedisSpec = NonNullable<MetricsSource['redis']>;

export type RedisDeps = Pick<Deps, 'clock' | 'net' | 'environment'>;

const up = { name: 'redis_up', type: 'gauge', help: '1 if the server answered INFO.' } as const;

/** Throws CONFIG_INVALID. */
export function redisSource(spec: RedisSpec, place: Place, deps: RedisDeps): Source {
  // Refused now, not at the first scrape.
  if (spec.passwordFrom !== undefined) secretFrom(spec.passwordFrom);
  return new RedisSource(spec, redisServerAt(place), place.address, deps);
}

class RedisSource implements Source {
  readonly #spec: RedisSpec;
  readonly #server: RedisServer;
  readonly #name: string;
  readonly #deps: RedisDeps;
  readonly #refusals = new Refusals();
  #connecting: Promise<RedisConnection> | undefined;
  /** What `#connecting` resolved to. */
  #connection: RedisConnection | undefined;
  /** Of the last INFO on this connection. */
  #facts: ReadonlyMap<string, string> | undefined;
  #closed = false;
  /** Counts connections that were given up. */
  #turn = 0;

  constructor(spec: RedisSpec, server: RedisServer, name: string, deps: RedisDeps) {
    this.#spec = spec;
    this.#server = server;
    this.#name = name;
    this.#deps = deps;
  }

  async collect({ signal, leftMs }: Asked): Promise<Answer> {
    let stop: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      stop = () => reject(new SourceError('timeout', `${this.#name} did not answer within ${leftMs} ms`));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([this.#ask(), late]);
    } catch (error) {
      // Whatever is still on its way must not be taken for the answer to a later question.
      this.#drop();
      throw redisFailure(this.#name, error, down());
    } finally {
      if (stop !== undefined) signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #ask(): Promise<Answer> {
    const connection = await this.#connected();
    const now = this.#deps.clock.now();
    if (this.#facts === undefined) this.#facts = flat((await askInfo(connection, [])).info);
    const more = optionalQuestions(this.#facts, this.#spec.latencyHistograms).filter(
      (command) => !this.#refusals.isResting(command, now),
    );
    const { info, replies } = await askInfo(connection, more);
    this.#facts = flat(info);
    return this.#answer(info, more, replies, now);
  }

  #answer(info: Info, asked: readonly (readonly string[])[], replies: readonly Reply[], now: number): Answer {
    const builder = new FamilyBuilder();
    builder.add(up, 1);
    const answers = new Map<string, unknown>();
    asked.forEach((command, index) => {
      const reply = replies[index];
      if (reply === undefined || 'refused' in reply) this.#refusals.add(command, now);
      else answers.set(command.join(' '), reply.value);
    });
    const of = (command: readonly string[]): unknown => answers.get(command.join(' '));
    const config = [questions.config, ...questions.configs].flatMap((command) => of(command) ?? []);
    const databases = Number(configValues(config).get('databases'));
    const commands = commandsOf(info);
    const unread = addInfo(builder, info, {
      commands,
      databases: Number.isSafeInteger(databases) ? databases : undefined,
      wallMs: this.#deps.clock.wall(),
    });
    addConfig(builder, config);
    const cluster = of(questions.clusterInfo);
    if (typeof cluster === 'string') addClusterInfo(builder, cluster);
    addLatest(builder, of(questions.latest));
    addHistograms(builder, of(questions.histogram), commands);
    if (answers.has('SLOWLOG LEN')) addSlowLength(builder, of(questions.slowLength));
    addSlowest(builder, of(questions.slowest));
    const resting = this.#refusals.resting(now);
    const dropped = {
      ...(unread === 0 ? {} : { 'unread-field': unread }),
      ...(resting === 0 ? {} : { 'refused-command': resting }),
    };
    return { families: builder.families(), dropped };
  }

  async #connected(): Promise<RedisConnection> {
    if (this.#connection?.ended === true) this.#drop();
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  async #connect(): Promise<RedisConnection> {
    const { username, passwordFrom, caFile } = this.#spec;
    const { environment = {}, net } = this.#deps;
    const turn = this.#turn;
    const read = (from: SecretFrom | undefined, failure: FailureClass) =>
      from === undefined ? undefined : readSecret(from, environment, failure);
    const access = {
      username,
      password: await read(passwordFrom === undefined ? undefined : secretFrom(passwordFrom), 'auth'),
      ca: await read(fileOf(caFile), 'tls'),
    };
    const connection = await connectRedis(this.#server, access, net);
    // Given up meanwhile, for a deadline shorter than reading the password: the next scrape has its own.
    if (this.#closed || turn !== this.#turn) {
      connection.end();
      throw new SourceError('timeout', `${this.#name} was given up before it was connected`);
    }
    this.#connection = connection;
    return connection;
  }

  #drop(): void {
    this.#turn += 1;
    this.#connection?.end();
    this.#connection = undefined;
    this.#connecting = undefined;
    this.#facts = undefined;
  }
}

/** INFO ALL, or INFO where that is refused or empty, and the rest after it. */
async function askInfo(
  connection: RedisConnection,
  more: readonly (readonly string[])[],
): Promise<{ info: Info; replies: readonly Reply[] }> {
  const [all, ...replies] = await connection.ask([['INFO', 'ALL'], ...more]);
  const [first] = isText(all) ? [all] : await connection.ask([['INFO']]);
  if (first !== undefined && 'refused' in first) throw new Error(first.refused);
  const info = parseInfo(first !== undefined && isText(first) ? first.value : '');
  if (!info.sections.has('server')) {
    throw new SourceError('parse', 'its answer to INFO has no section Server; is it a Redis server?');
  }
  return { info, replies };
}

function isText(reply: Reply | undefined): reply is { readonly value: string } {
  return reply !== undefined && 'value' in reply && typeof reply.value === 'string' && reply.value !== '';
}

function down(): MetricFamily[] {
  const builder = new FamilyBuilder();
  builder.add(up, 0);
  return builder.families();
}

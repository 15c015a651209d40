/** A JVM through its Jolokia agent as a source: one POST a scrape, two where object names are excluded. */

import type { MetricsSource } from '@outrigger/core/api';
import { nextTurn } from '@outrigger/core/clock';
import type { Clock } from '@outrigger/core/clock';
import { describeError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { Fetcher } from '../http/fetch.ts';
import { shownUrl } from '../http/failure.ts';
import { httpOptions } from '../http/options.ts';
import { urlAt } from '../http/place.ts';
import type { Environment } from '../http/secrets.ts';
import type { Answer, Asked, Place, Source } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { JmxSetups } from './config-file.ts';
import type { JmxSetup } from './config-file.ts';
import { isPattern, parseObjectName } from './object-name.ts';
import { beansIn, bulkAnswers, bulkRequest } from './protocol.ts';
import type { Attributes, JolokiaAnswer, JolokiaRequest } from './protocol.ts';
import { Samples } from './samples.ts';

export type JolokiaSpec = NonNullable<MetricsSource['jolokia']>;

export interface JolokiaDeps {
  readonly clock: Clock;
  readonly log?: Logger;
  readonly environment?: Environment;
}

/** Throws what is wrong with rules that stand in the configuration itself. */
export function jolokiaSource(spec: JolokiaSpec, place: Place, deps: JolokiaDeps): Source {
  return new JolokiaSource(spec, place, deps);
}

/** Beans worked on before everything else gets its turn. */
const perTurn = 50;

class JolokiaSource implements Source {
  readonly #url: URL;
  readonly #fetcher: Fetcher;
  readonly #setups: JmxSetups;
  readonly #clock: Clock;
  readonly #began: number;

  constructor(spec: JolokiaSpec, place: Place, { clock, log, environment }: JolokiaDeps) {
    this.#url = urlAt(place);
    this.#setups = new JmxSetups({ file: spec.rulesFile, inline: spec.rules }, log);
    this.#fetcher = new Fetcher(httpOptions(spec.http), environment ?? {});
    this.#clock = clock;
    this.#began = clock.now();
  }

  async collect(asked: Asked): Promise<Answer> {
    const setup = await this.#setups.current();
    const waitMs = this.#began + setup.config.startDelayMs - this.#clock.now();
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw new SourceError(
        'unreachable',
        `${shownUrl(this.#url)} is not asked yet: startDelaySeconds has ${seconds} s to go`,
      );
    }
    const requests = await this.#requests(setup, asked);
    const samples = new Samples(setup);
    const answers = requests.length === 0 ? [] : await this.#ask(requests, asked);
    for (const [index, answer] of answers.entries()) {
      const request = requests[index];
      if (request !== undefined) await take(samples, request, answer);
    }
    return samples.answer();
  }

  close(): Promise<void> {
    return this.#fetcher.close();
  }

  /** With names to exclude it is first asked which there are: what is excluded must not even be read. */
  async #requests({ config }: JmxSetup, asked: Asked): Promise<JolokiaRequest[]> {
    if (!config.excludes) return config.include.map((mbean) => ({ type: 'read', mbean }));
    const searches = config.include.map((mbean) => ({ type: 'search', mbean }) as const);
    const found = await this.#ask(searches, asked);
    const names = found.flatMap(({ status, value }) => (status === 200 && Array.isArray(value) ? value : []));
    const wanted = new Set(names.filter((name) => typeof name === 'string'));
    return [...wanted]
      .filter((name) => {
        const bean = parseObjectName(name);
        return bean !== undefined && !config.isExcluded(bean);
      })
      .map((mbean) => ({ type: 'read', mbean }));
  }

  async #ask(requests: readonly JolokiaRequest[], asked: Asked): Promise<JolokiaAnswer[]> {
    const page = await this.#fetcher.fetch(
      {
        url: this.#url,
        body: bulkRequest(requests),
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        repeatable: true,
      },
      asked,
    );
    const answers = bulkAnswers(parsed(page.body, this.#url), requests.length);
    if (answers === undefined) {
      throw new SourceError(
        'parse',
        `${shownUrl(this.#url)} answered no bulk answer of Jolokia; check the path`,
      );
    }
    refuseIfAllFailed(answers, this.#url);
    return answers;
  }
}

async function take(samples: Samples, request: JolokiaRequest, answer: JolokiaAnswer): Promise<void> {
  if (answer.status !== 200) return samples.missed(answer.status);
  const beans: [string, Attributes][] = beansIn(request, isPattern(request.mbean), answer.value);
  for (const [index, [bean, attributes]] of beans.entries()) {
    samples.take(bean, attributes);
    if (index % perTurn === perTurn - 1) await nextTurn();
  }
}

/** That a bean is not there is no failure; that nothing may be read is one. */
function refuseIfAllFailed(answers: readonly JolokiaAnswer[], url: URL): void {
  const failed = answers.filter(({ status }) => status !== 200 && status !== 404);
  const [first] = failed;
  if (first === undefined || failed.length < answers.length) return;
  const text = `${shownUrl(url)}: Jolokia answered ${first.status}: ${first.error.slice(0, 200)}`;
  if (first.status === 401 || first.status === 403) {
    throw new SourceError('auth', `${text}; check its policy and the credentials`);
  }
  throw new SourceError('status', `${text}; see its log`);
}

function parsed(body: Buffer, url: URL): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    const text = `${shownUrl(url)} answered no JSON: ${describeError(error)}; is Jolokia there?`;
    throw new SourceError('parse', text, { cause: error });
  }
}

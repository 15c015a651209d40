/** OAuth 2.0 client credentials (RFC 6749 §4.4): a token is asked for when there is none, and kept while it holds. */

import type { Clock } from '@outrigger/core/clock';
import { isRecord } from '../jsonpath/record.ts';
import type { Asked } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import { shownUrl } from './failure.ts';
import { Fetcher } from './fetch.ts';
import { plainHttp } from './options.ts';
import type { SecretFrom, TlsOptions, TokenSource } from './options.ts';
import type { Environment } from './secrets.ts';

export interface OAuthSpec {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: SecretFrom | undefined;
  readonly scopes: readonly string[];
  /** Sent along with the request for a token. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

/** A token is not used so shortly before its end: it has to arrive. */
const marginMs = 10_000;
/** Where the server does not say how long a token holds. */
const defaultLifeMs = 300_000;

export class OAuthTokens implements TokenSource {
  readonly #spec: OAuthSpec;
  readonly #fetcher: Fetcher;
  readonly #clock: Clock;
  #token: { readonly text: string; readonly until: number } | undefined;

  constructor(spec: OAuthSpec, environment: Environment, clock: Clock) {
    const { clientId: username, clientSecret: password } = spec;
    this.#spec = spec;
    this.#clock = clock;
    this.#fetcher = new Fetcher(
      {
        ...plainHttp,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        // The RFC: both are form-encoded before they are joined.
        authentication: { type: 'basic', username: encodeURIComponent(username), password },
        tls: spec.tls,
        followRedirects: false,
        maxBodyBytes: 64 * 1024,
      },
      environment,
    );
  }

  async token(asked: Asked): Promise<string> {
    if (this.#token !== undefined && this.#clock.now() < this.#token.until) return this.#token.text;
    const { tokenUrl, scopes, parameters } = this.#spec;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...parameters });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const request = { url: tokenUrl, body: form.toString(), repeatable: true };
    const page = await this.#fetcher.fetch(request, asked).catch((error: unknown) => {
      throw asAuthFailure(error);
    });
    const { text, lifeMs } = tokenIn(page.body, tokenUrl);
    this.#token = { text, until: this.#clock.now() + Math.max(0, lifeMs - marginMs) };
    return text;
  }

  forget(): void {
    this.#token = undefined;
  }

  retire(): void {
    this.#fetcher.retire();
  }

  close(): Promise<void> {
    return this.#fetcher.close();
  }
}

/** That the token was refused is what counts, whatever the status: 400 is what the RFC wants. */
function asAuthFailure(error: unknown): unknown {
  if (!(error instanceof SourceError) || error.class !== 'status') return error;
  return new SourceError('auth', `no token: ${error.message}; check client_id and client_secret`, {
    cause: error,
  });
}

function tokenIn(body: Buffer, url: URL): { text: string; lifeMs: number } {
  const answer = parsed(body);
  const text = answer?.['access_token'];
  if (typeof text !== 'string' || text === '') {
    throw new SourceError(
      'auth',
      `no token: ${shownUrl(url)} answered without access_token; check token_url`,
    );
  }
  const seconds = Number(answer?.['expires_in']);
  return { text, lifeMs: seconds > 0 ? seconds * 1000 : defaultLifeMs };
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    // Whatever it is, it is no token; the caller says so.
    return undefined;
  }
}

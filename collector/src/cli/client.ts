import { readClientEnvironment } from '../config/index.ts';
import { UsageError } from './command.ts';

/** Talks to a running collector. */
export interface Client {
  readonly url: string;
  /** Posts JSON and returns the answer; an error of the API becomes an Error with its message and hint. */
  post<T>(path: string, body: unknown): Promise<T>;
}

/** Error that the collector answered with, or that kept it from answering. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

export interface ClientOptions {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/** Where to ask: `--url` and `--token`, else the environment, else what the caller knows. */
export function resolveClient(
  options: ClientOptions,
  otherwise: { readonly url: string; readonly token?: string },
): { url: string; token: string | undefined } {
  const env = readClientEnvironment();
  const url = (options.url ?? env.url ?? otherwise.url).replace(/\/+$/, '');
  if (!URL.canParse(url))
    throw new UsageError(`"${url}" is not a URL`, 'Write for example --url http://127.0.0.1:8055');
  return { url, token: options.token ?? env.token ?? otherwise.token };
}

/** A client for `--url` and `--token`, else the environment, else the collector on this machine. */
export function createClient(options: ClientOptions): Client {
  const { url, token } = resolveClient(options, { url: 'http://127.0.0.1:8055' });
  return {
    url,
    post: async <T>(path: string, body: unknown): Promise<T> => {
      let response: Response;
      try {
        response = await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
          body: JSON.stringify(body),
        });
      } catch (error) {
        const { cause } = error as { cause?: { code?: string; message?: string } };
        throw new ClientError(
          `No collector answers at ${url} (${cause?.code ?? cause?.message ?? String(error)})`,
          'Start one with "ringflow serve" or "ringflow demo", or name another with --url',
        );
      }
      const text = await response.text();
      let answer: unknown;
      try {
        answer = JSON.parse(text);
      } catch {
        throw new ClientError(
          `${url} answered ${response.status} and no JSON`,
          'Check that --url is a Ringflow collector',
        );
      }
      // Errors of single queries come inside the results, errors of the whole request as `message`.
      if (!response.ok && !(answer as { results?: unknown }).results) {
        const { message, hint } = answer as { message?: string; hint?: string };
        throw new ClientError(
          message ?? `${url} answered ${response.status}`,
          hint ??
            (response.status === 401
              ? 'Give a token with --token or RINGFLOW_TOKEN'
              : 'Look at the log of the collector'),
        );
      }
      return answer as T;
    },
  };
}

import { readClientEnvironment } from '../config/index.ts';
import { ask, readTrust, type Question, type Reply, type Trust, type TrustFiles } from './ask.ts';
import { UsageError, type Arguments } from './command.ts';

/** Talks to a running collector. */
export interface Client {
  readonly url: string;
  /** Posts JSON and returns the answer; an error of the API becomes an Error with its message and hint. */
  post<T>(path: string, body: unknown): Promise<T>;
  get<T>(path: string): Promise<T>;
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

export interface ClientOptions extends TrustFiles {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/** What the options for clients say. */
export function clientOptions(args: Arguments): ClientOptions {
  return Object.fromEntries(['url', 'token', 'ca', 'cert', 'key'].map((name) => [name, args.text(name)]));
}

export interface Target {
  readonly url: string;
  readonly token: string | undefined;
  readonly trust: Trust;
}

/** Where to ask, and how: the options, else the environment, else what the caller knows. */
export function resolveClient(
  options: ClientOptions,
  otherwise: { readonly url: string; readonly token?: string; readonly trust?: () => Trust },
): Target {
  const env = readClientEnvironment();
  const url = (options.url ?? env.url ?? otherwise.url).replace(/\/+$/, '');
  if (!URL.canParse(url))
    throw new UsageError(`"${url}" is not a URL`, 'Write for example --url http://127.0.0.1:8055');
  const files = { ca: options.ca ?? env.ca, cert: options.cert ?? env.cert, key: options.key ?? env.key };
  // A token is for the machine it was configured on, and for nobody else.
  const isOwn = new URL(url).hostname === new URL(otherwise.url).hostname;
  return {
    url,
    token: options.token ?? env.token ?? (isOwn ? otherwise.token : undefined),
    trust: { ...(isOwn && files.ca === undefined ? otherwise.trust?.() : {}), ...readTrust(files) },
  };
}

const DISTRUST = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/;

/** True for errors of TLS: somebody is there, but is not trusted, does not trust us, or speaks without TLS. */
export function isTlsTrouble(code: string | undefined): boolean {
  return code !== undefined && (DISTRUST.test(code) || code.startsWith('ERR_SSL_') || code === 'EPROTO');
}

/** What to do when a request ends with this error of the system. */
export function hintFor(code: string | undefined): string {
  if (code?.startsWith('ERR_SSL_') || code === 'EPROTO')
    return 'Write http:// or https:// as the collector speaks it; when it asks for a certificate, show one with --cert and --key';
  if (code !== undefined && DISTRUST.test(code))
    return 'Name the authority that signed its certificate, or the certificate itself, with --ca, and the host as the certificate does';
  return 'Start one with "ringflow serve" or "ringflow demo", or name another with --url';
}

/** A client for `--url` and `--token`, else the environment, else the collector on this machine. */
export function createClient(options: ClientOptions): Client {
  const { url, token, trust } = resolveClient(options, { url: 'http://127.0.0.1:8055' });
  return {
    url,
    post: (path, body) => request(path, { method: 'POST', body }),
    get: (path) => request(path, { method: 'GET' }),
  };

  async function request<T>(path: string, what: Pick<Question, 'method' | 'body'>): Promise<T> {
    let reply: Reply;
    try {
      reply = await ask(url + path, { ...what, token, trust });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new ClientError(`No collector answers at ${url} (${code ?? message})`, hintFor(code));
    }
    const { status, text } = reply;
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      throw new ClientError(`${url} answered ${status} and no JSON`, 'Check that --url is a Ringflow collector');
    }
    // Errors of single queries come inside the results, errors of the whole request as `message`.
    if (status >= 400 && !(answer as { results?: unknown }).results) {
      const { message, hint } = answer as { message?: string; hint?: string };
      throw new ClientError(
        message ?? `${url} answered ${status}`,
        hint ?? (status === 401 ? 'Give a token with --token or RINGFLOW_TOKEN' : 'Look at the log of the collector'),
      );
    }
    return answer as T;
  }
}

import { readFileSync } from 'node:fs';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { UsageError } from './command.ts';

/** How a collector proves who it is, and how we do. */
export interface Trust extends SecureContextOptions {
  /** True when the certificate counts whatever name it is for: it is the very one that is expected. */
  readonly anyName?: boolean;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly token?: string | undefined;
  /** Sent as JSON; bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trust?: Trust;
  /** Longest wait for the whole answer; for ever when absent. */
  readonly timeoutMs?: number;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** Files that `--ca`, `--cert` and `--key` name. */
export interface TrustFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Reads what to trust and what to show. Without a CA, the system's authorities are trusted.
 *
 * @throws UsageError when a file cannot be read
 */
export function readTrust(files: TrustFiles): Trust {
  const read = (name: keyof TrustFiles): Trust => {
    const path = files[name];
    if (path === undefined) return {};
    try {
      return { [name]: readFileSync(path) };
    } catch (error) {
      throw new UsageError(
        `--${name}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
        'Name a file in PEM',
      );
    }
  };
  return { ...read('ca'), ...read('cert'), ...read('key') };
}

/** One request to a collector over HTTP or HTTPS. Rejects with the system's error when there is no answer. */
export async function ask(url: string, question: Question): Promise<Reply> {
  const response = await open(url, question);
  return { status: response.statusCode ?? 0, text: await readText(response) };
}

/** The whole of an answer. */
export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The same with an answer that the caller reads as it comes. */
export function open(url: string, question: Question): Promise<IncomingMessage> {
  const { anyName, ...secure } = question.trust ?? {};
  const body =
    question.body === undefined || question.body instanceof Uint8Array ? question.body : JSON.stringify(question.body);
  const options: RequestOptions = {
    method: question.method,
    agent: false,
    headers: {
      ...(question.token ? { authorization: `Bearer ${question.token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...question.headers,
    },
    ...(question.timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(question.timeoutMs) }),
  };
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:')
      ? requestHttps(
          url,
          {
            ...options,
            ...secure,
            // The file may hold the collector's own certificate instead of the authority that signed it.
            allowPartialTrustChain: true,
            ...(anyName ? { checkServerIdentity: () => undefined } : {}),
          } as RequestOptions,
          resolve,
        )
      : requestHttp(url, options, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

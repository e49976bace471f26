import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsConfig } from './config.ts';

/** Certificate and key as read from their files; with authorities, callers must show a certificate of one of them. */
export interface TlsMaterial extends SecureContextOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

/** A certificate or key that cannot be used. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code = 'tls_unusable';
  readonly hint: string;

  constructor(message: string, hint: string, cause: unknown) {
    super(message, { cause });
    this.hint = hint;
  }
}

/** True when the API is to speak TLS. */
export function wantsTls(config: TlsConfig): boolean {
  return config.cert !== '';
}

/**
 * Reads the files and tries them; null when the API speaks without TLS.
 *
 * @throws TlsError when a file cannot be read or certificate and key do not belong together
 */
export function readTls(config: TlsConfig): TlsMaterial | null {
  if (!wantsTls(config)) return null;
  const material: TlsMaterial = {
    cert: readFile(config, 'cert'),
    key: readFile(config, 'key'),
    ...(config.client_ca === '' ? {} : { ca: readFile(config, 'client_ca') }),
    minVersion: 'TLSv1.2',
  };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new TlsError(
      `http.tls: ${config.cert} and ${config.key} cannot be used: ${(error as Error).message}`,
      'Name a certificate and its own key, both in PEM and the key without a passphrase',
      error,
    );
  }
  return material;
}

function readFile(config: TlsConfig, key: keyof TlsConfig): Buffer {
  try {
    return readFileSync(config[key]);
  } catch (error) {
    throw new TlsError(
      `http.tls.${key}: ${config[key]} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      'Name a file that the user of the collector may read',
      error,
    );
  }
}

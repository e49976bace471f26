export { HTTP_DEFAULTS, HTTP_SCHEMA, type HttpConfig, type HttpIngestConfig, type TlsConfig } from './config.ts';
export type { AddressNames, ExportRows, HttpDeps, HttpLog, IngestDoor, ObservedQuery } from './deps.ts';
export { createHttp, type Http, type HttpStatus } from './server.ts';
export { ROUTES } from './routes.ts';
export { scoreboardPage } from './scoreboard-page.ts';
export { readTls, TlsError, wantsTls, type TlsMaterial } from './tls.ts';

export { HTTP_DEFAULTS, HTTP_SCHEMA, type HttpConfig } from './config.ts';
export type { HttpDeps, HttpLog, ObservedQuery } from './deps.ts';
export { createHttp, type Http, type HttpStatus } from './server.ts';
export { ROUTES } from './routes.ts';

export { RESOLVE_DEFAULTS, RESOLVE_SCHEMA, type ResolveConfig } from './config.ts';
export { createResolver, type Lookup, type Resolver, type ResolverDeps, type ResolverStatus } from './resolver.ts';

import type { Config } from './compose.ts';

/** Shorter ones stand in ordinary words, too: blotting them out would make everything else unreadable. */
const MIN_CHARACTERS = 4;

/** True for the name of a key whose value must not be shown. */
export function isSecretKey(key: string): boolean {
  return /(^|_)(token|password|secret|community)s?(_|$)/.test(key);
}

/** `http://user:password@host` → `http://user:***@host`; other texts stay as they are. */
export function withoutPassword(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^/@:]*):[^@]*@/, '$1:***@');
}

/** A value of the configuration as it may be shown: with stars in the place of secrets, however deep they stand. */
export function withoutSecrets(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return isSecretKey(key) && value !== '' ? '***' : withoutPassword(value);
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, key));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutSecrets(item, name)]));
}

/** Every secret of a configuration: values of secret keys, and passwords in URLs. */
export function secretsOf(config: Config): string[] {
  const found = new Set<string>();
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      const [, password] = /^[a-z]+:\/\/[^/@:]*:([^@]*)@/.exec(value) ?? [];
      for (const secret of isSecretKey(key) ? [value] : password === undefined ? [] : [password, safeDecode(password)])
        found.add(secret);
    } else if (Array.isArray(value)) value.forEach((item) => walk(item, key));
    else if (value !== null && typeof value === 'object')
      Object.entries(value).forEach(([name, item]) => walk(item, name));
  };
  walk(config, '');
  return [...found].filter((secret) => secret.length >= MIN_CHARACTERS);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

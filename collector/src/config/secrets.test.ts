import { CONFIG_DEFAULTS } from './compose.ts';
import { isSecretKey, secretsOf, withoutPassword, withoutSecrets } from './secrets.ts';

test('secrets are found by the name of their key, and in URLs', () => {
  const config = {
    ...CONFIG_DEFAULTS,
    http: { ...CONFIG_DEFAULTS.http, token: 'the-token' },
    store: { ...CONFIG_DEFAULTS.store, url: 'https://me:p%40ssword@db:8123', password: 'the-password' },
  };
  expect(secretsOf(config).sort()).toEqual(['p%40ssword', 'p@ssword', 'the-password', 'the-token']);
  expect(secretsOf(CONFIG_DEFAULTS)).toEqual([]);
  expect(['token', 'db_password', 'max_bytes'].map(isSecretKey)).toEqual([true, true, false]);
});

test('a URL is shown without its password', () => {
  expect(withoutPassword('http://me:secret@db:8123/x')).toBe('http://me:***@db:8123/x');
  expect(withoutPassword('http://db:8123')).toBe('http://db:8123');
  expect(withoutPassword('a: b@c')).toBe('a: b@c');
});

test('what may be shown has stars for secrets, however deep', () => {
  const config = {
    http: { token: 'abc', port: 1 },
    snmp: { credentials: [{ community: 'xyz', port: 161 }] },
    empty: { token: '' },
  };
  expect(withoutSecrets(config)).toEqual({
    http: { token: '***', port: 1 },
    snmp: { credentials: [{ community: '***', port: 161 }] },
    empty: { token: '' },
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { createFolder, runCommand, startCollector, until, type RunningCollector } from './testing/collector.ts';

const TOKEN = 'correct-horse-battery-staple';
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.stderr.write('TLS: openssl not installed; its tests are skipped\n');

/** Certificates of an authority of our own. */
function createAuthority(folder: string) {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  return {
    /** Writes `NAME.pem` and `NAME.key`. */
    issue: (name: string, alternative: string): void => {
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      writeFileSync(join(folder, 'ext'), `subjectAltName=${alternative}\n`);
      openssl(
        ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
        ...['-out', `${name}.pem`, '-days', '2', '-extfile', 'ext'],
      );
    },
  };
}

(hasOpenssl ? describe : describe.skip)('HTTPS', () => {
  const folder = createFolder();
  const path = (name: string): string => join(folder.path, name);
  const configure = (tls: string, more = ''): void =>
    writeFileSync(
      path('ringflow.yml'),
      `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"]}\nhttp: {port: 0, token: ${TOKEN}, tls: ${tls}}\nlog: {format: json}\n${more}`,
    );
  let collector: RunningCollector;

  /** Status and certificate of an answer. */
  function get(
    route: string,
    options: { ca?: Buffer; cert?: Buffer; key?: Buffer; token?: string } = {},
  ): Promise<{ status: number; subject: string }> {
    const { token, ...secure } = { ca: readFileSync(path('ca.pem')), token: TOKEN, ...options };
    return new Promise((resolve, reject) => {
      const asked = request(
        collector.url + route,
        { ...secure, agent: false, headers: { authorization: `Bearer ${token}` } },
        (response) => {
          const { subject } = (
            response.socket as unknown as { getPeerCertificate(): PeerCertificate }
          ).getPeerCertificate();
          response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, subject: String(subject.CN) }));
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  }
  const stop = async (): Promise<void> => {
    collector?.kill('SIGTERM');
    await collector?.exited;
  };

  beforeAll(async () => {
    const authority = createAuthority(folder.path);
    authority.issue('first', 'IP:127.0.0.1,DNS:localhost');
    authority.issue('second', 'IP:127.0.0.1,DNS:localhost');
    authority.issue('elsewhere', 'DNS:elsewhere.example');
    authority.issue('caller', 'DNS:caller.example');
    configure('{cert: first.pem, key: first.key}');
    collector = await startCollector(folder.path);
  }, 60_000);
  afterAll(async () => {
    await stop();
    folder.remove();
  });

  test('answers by HTTPS alone, and asks for the token', async () => {
    expect(collector.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get('/api/v1/status')).toEqual({ status: 200, subject: 'first' });
    expect((await get('/api/v1/status', { token: 'wrong' })).status).toBe(401);
    await expect(get('/healthz', { ca: Buffer.from('') })).rejects.toThrow(/verify|self.signed|issuer/);
    await expect(fetch(`${collector.url.replace('https', 'http')}/healthz`)).rejects.toThrow();
  });

  test('TLS below 1.2 is refused', async () => {
    const { hostname, port } = new URL(collector.url);
    const refused = new Promise<string>((resolve) => {
      const socket = connect({
        host: hostname,
        port: Number(port),
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
        rejectUnauthorized: false,
      });
      socket.once('secureConnect', () => resolve('connected'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    expect(await refused).toMatch(/^ERR_SSL_/);
  });

  test('ringflow query: with the authority, with the certificate itself, and what it says without', async () => {
    const query = (args: string[], env: Record<string, string> = {}) =>
      runCommand(['query', '--url', collector.url, '--token', TOKEN, ...args], folder.path, env);
    for (const given of [
      ['--ca', 'ca.pem'],
      ['--ca', 'first.pem'],
    ])
      expect({ given, ...(await query(given)) }).toMatchObject({
        given,
        code: 0,
        stdout: expect.stringContaining('flows') as string,
      });
    expect((await query([], { RINGFLOW_CA: 'ca.pem' })).code).toBe(0);
    const untrusted = await query([]);
    expect(untrusted.code).toBe(1);
    expect(untrusted.stderr).toContain('\n  Name the authority that signed its certificate');
    const plain = await runCommand(['query', '--url', collector.url.replace('https', 'http')], folder.path);
    expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining('No collector answers at http:')]);
    const missing = await query(['--ca', 'nowhere.pem']);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringContaining('--ca: cannot read nowhere.pem (ENOENT)'),
    ]);
    expect(untrusted.stderr + plain.stderr + missing.stderr).not.toContain(TOKEN);
  });

  test('ringflow doctor trusts the certificate of its own configuration, whatever name it is for', async () => {
    configure('{cert: elsewhere.pem, key: elsewhere.key}');
    collector.kill('SIGHUP');
    await until(async () => (await get('/healthz').catch(() => null))?.subject !== 'first', 5000, 'the certificate');
    configure('{cert: elsewhere.pem, key: elsewhere.key}', '');
    const port = new URL(collector.url).port;
    const here = await runCommand(['doctor', '--json'], folder.path, { RINGFLOW_HTTP_PORT: port });
    const findings = (JSON.parse(here.stdout) as { findings: { check: string; message: string }[] }).findings;
    expect(findings.find(({ check }) => check === 'collector')?.message).toBe(
      `Version 0.1.0 answers at https://127.0.0.1:${port}`,
    );
    const other = await runCommand(['doctor', '--url', collector.url, '--token', TOKEN, '--ca', 'ca.pem'], folder.path);
    expect(other.stdout).toContain('is not talked to: ERR_TLS_CERT_ALTNAME_INVALID');
    expect(here.stdout + other.stdout).not.toContain(TOKEN);
  });

  test('SIGHUP: a new certificate is taken without an interruption; one that cannot be used is refused', async () => {
    const reloaded = (): number => collector.output().split('"configuration reloaded"').length;
    const refused = (): number => collector.output().split('"configuration not reloaded').length;
    let before = reloaded();
    configure('{cert: second.pem, key: second.key}');
    collector.kill('SIGHUP');
    await until(async () => reloaded() > before, 5000, 'a reload');
    expect(await get('/api/v1/status')).toEqual({ status: 200, subject: 'second' });

    // Renewed in place: the configuration is the same, the files are not.
    before = reloaded();
    for (const kind of ['pem', 'key']) writeFileSync(path(`second.${kind}`), readFileSync(path(`first.${kind}`)));
    collector.kill('SIGHUP');
    await until(async () => reloaded() > before, 5000, 'a reload');
    expect(await get('/api/v1/status')).toEqual({ status: 200, subject: 'first' });

    let count = refused();
    configure('{cert: second.pem, key: ca.key}', 'query: {max_rows: 100}\n');
    collector.kill('SIGHUP');
    await until(async () => refused() > count, 5000, 'a refusal');
    expect(collector.output()).toContain('http.tls: second.pem and ca.key cannot be used: ');
    expect(await get('/api/v1/status')).toEqual({ status: 200, subject: 'first' });
    count = refused();
    configure('{cert: second.pem, key: gone.key}');
    collector.kill('SIGHUP');
    await until(async () => refused() > count, 5000, 'a refusal');
    expect(collector.output()).toContain('http.tls.key: gone.key cannot be read: ENOENT');
    // Nothing else of a refused configuration was taken over.
    expect(collector.output()).not.toContain('query.max_rows');
  });

  test('with client_ca only callers with a certificate of that authority get in', async () => {
    await stop();
    configure('{cert: first.pem, key: first.key, client_ca: ca.pem}');
    collector = await startCollector(folder.path);
    await expect(get('/healthz')).rejects.toThrow();
    expect(
      (await get('/healthz', { cert: readFileSync(path('caller.pem')), key: readFileSync(path('caller.key')) })).status,
    ).toBe(200);
    const asked = ['query', '--url', collector.url, '--token', TOKEN, '--ca', 'ca.pem'];
    const without = await runCommand(asked, folder.path);
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('show one with --cert and --key')]);
    expect((await runCommand([...asked, '--cert', 'caller.pem', '--key', 'caller.key'], folder.path)).code).toBe(0);
  });

  test('at a start, what is wrong is said with its file', async () => {
    await stop();
    for (const [tls, message] of [
      ['{cert: nowhere.pem, key: first.key}', 'http.tls.cert: nowhere.pem cannot be read: ENOENT'],
      ['{cert: first.pem, key: second.csr}', 'http.tls: first.pem and second.csr cannot be used'],
    ] as const) {
      configure(tls);
      const { code, stderr } = await runCommand(['serve'], folder.path);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
    configure('{cert: first.pem}');
    const { code, stderr } = await runCommand(['check'], folder.path);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('ringflow.yml:3: http.tls.cert: A certificate needs its key'),
    ]);
  });

  test('a listener beyond loopback without a token is warned of', async () => {
    const warning = 'whoever reaches this machine may read all flows';
    for (const [host, token, said] of [
      ['0.0.0.0', '', warning],
      ['0.0.0.0', TOKEN, 'the token of the API crosses the network in the clear'],
      ['127.0.0.1', '', null],
    ] as const) {
      writeFileSync(
        path('ringflow.yml'),
        `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"]}\nhttp: {port: 0, host: "${host}", token: "${token}"}\nlog: {format: json}\n`,
      );
      collector = await startCollector(folder.path);
      const warnings = collector
        .output()
        .split('\n')
        .filter((line) => line.includes('"level":"warn"'));
      expect(warnings).toEqual(said === null ? [] : [expect.stringContaining(said)]);
      await stop();
    }
  });
});

import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder, runCommand, startCollector, until } from './testing/collector.ts';

/** Every secret has its own text, so that a leak says where it comes from. */
const SECRETS = {
  fileToken: 'S3cret-file-token"with\\quotes',
  environmentToken: 'S3cret-environment-token',
  reloadToken: 'S3cret-reload-token',
  cliToken: 'S3cret-cli-token',
  clientToken: 'S3cret-client-token',
  wrongToken: 'S3cret-wrong-token',
  storePassword: 'S3cret-store-password',
  urlPassword: 'S3cret-url-password',
} as const;

/** Names of the secrets that stand in a text. */
const leaks = (text: string): string[] =>
  Object.entries(SECRETS).flatMap(([name, secret]) =>
    text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)) ? [name] : [],
  );

const yaml = (token: string, more = ''): string =>
  [
    'data_dir: ./data',
    'inlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 100}',
    `http: {port: 0, token: ${JSON.stringify(token)}}`,
    // Nobody listens there: every load fails, and says so.
    `store: {url: "http://me:${SECRETS.urlPassword}@127.0.0.1:9", password: ${SECRETS.storePassword}}`,
    'log: {level: trace, format: json}',
    more,
    '',
  ].join('\n');

test('tokens and passwords stand in no log, no error and no page, wherever they come from', async () => {
  const folder = createFolder();
  const file = join(folder.path, 'ringflow.yml');
  const output: string[] = [];
  writeFileSync(file, yaml(SECRETS.fileToken));
  const collector = await startCollector(folder.path);
  try {
    const answers: string[] = [];
    const get = async (path: string, authorization?: string): Promise<void> => {
      const response = await fetch(collector.url + path, authorization ? { headers: { authorization } } : {});
      answers.push(`${path.split('?')[0]} ${response.status} ${await response.text()}`);
    };
    for (const path of ['/', '/metrics', '/api/v1/status', '/nowhere', `/api/v1/status?token=${SECRETS.wrongToken}`]) {
      await get(path);
      await get(path, `Bearer ${SECRETS.wrongToken}`);
      await get(path, `Basic ${SECRETS.wrongToken}`);
      await get(path, `Bearer ${SECRETS.fileToken}`);
    }
    expect(answers.filter((answer) => answer.startsWith('/api/v1/status 200'))).toHaveLength(2);
    // Requests that no handler sees.
    const { hostname, port } = new URL(collector.url);
    for (const raw of [
      `GET /api/v1/status HTTP/1.1\r\nauthorization: Bearer ${SECRETS.wrongToken}\r\nbroken header\r\n\r\n`,
      `POST /api/v1/query HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${SECRETS.fileToken}\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{"${SECRETS.wrongToken}`,
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(raw));
        socket.on('data', (data) => answers.push(String(data)));
        socket.on('close', () => resolve()).on('error', () => resolve());
        setTimeout(() => socket.destroy(), 500);
      });
    }
    const post = await fetch(`${collector.url}/api/v1/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRETS.fileToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ from: 'now-1h', to: 'now', queries: [{ refId: 'A', kind: 'stat' }] }),
    });
    answers.push(await post.text());

    // The command line of another program, and its environment.
    for (const [args, env] of [
      [['query', '--url', collector.url, '--token', SECRETS.clientToken], {}],
      [['query', '--url', collector.url], { RINGFLOW_TOKEN: SECRETS.clientToken }],
      [['query', '--url', 'http://127.0.0.1:9', '--token', SECRETS.clientToken], {}],
      [['query', '--token', SECRETS.cliToken, '--no-such-option'], {}],
      [['doctor', '--token', SECRETS.cliToken], {}],
      [['doctor', '--json', '--url', collector.url], { RINGFLOW_TOKEN: SECRETS.fileToken }],
      [['check'], { RINGFLOW_HTTP_TOKEN: SECRETS.environmentToken }],
      [['check', '--json'], {}],
      [['serve'], { RINGFLOW_HTTP_TOKEN: SECRETS.environmentToken }],
      [['serve'], { RINGFLOW_HTTP_TOKEN: `${SECRETS.environmentToken} with spaces` }],
      [['serve'], { RINGFLOW_HTTP_TOKN: SECRETS.environmentToken }],
    ] as const) {
      const { stdout, stderr } = await runCommand([...args], folder.path, { ...env });
      output.push(`${args.join(' ').replaceAll(/S3cret\S*/g, '…')}: ${stdout}${stderr}`);
      expect(stdout + stderr).not.toBe('');
    }

    // Reloads: right, wrong, no YAML.
    for (const [text, seen] of [
      [yaml(SECRETS.reloadToken), 'configuration reloaded'],
      [yaml(SECRETS.fileToken, `unknown: ${SECRETS.reloadToken}`), 'Unknown key'],
      [yaml(`${SECRETS.reloadToken} with spaces`), 'http.token'],
      [yaml(SECRETS.reloadToken).replace('token:', 'token: ['), 'Not YAML'],
    ] as const) {
      writeFileSync(file, text);
      collector.kill('SIGHUP');
      await until(
        async () => collector.output().includes(seen),
        10_000,
        () => `${seen}:\n${collector.output()}`,
      );
    }
    await until(
      async () =>
        /"process":"(store|main)".*"level":"error"|"level":"error".*"process":"(store|main)"/.test(collector.output()),
      20_000,
      () => `the store says that it has no server:\n${collector.output()}`,
    );
    await get('/');
    collector.kill('SIGUSR2');
    collector.kill('SIGTERM');
    await collector.exited;
    expect(answers.flatMap((answer) => leaks(answer).map((name) => `${name}: ${answer.slice(0, 300)}`))).toEqual([]);
    expect(output.flatMap((text) => leaks(text).map((name) => `${name}: ${text.slice(0, 2000)}`))).toEqual([]);
    const log = collector.output().split('\n');
    expect(log.flatMap((line) => leaks(line).map((name) => `${name}: ${line}`))).toEqual([]);
  } finally {
    collector.kill('SIGKILL');
    await collector.exited;
    folder.remove();
  }
}, 120_000);

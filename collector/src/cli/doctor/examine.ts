import { createSocket } from 'node:dgram';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { ExportersResponse, ReadyResponse, StatusResponse } from '@ringflow/contract';
import { processEnvironment, type Config } from '../../config/index.ts';
import { parseEndpoint } from '../../inlet/index.ts';
import { parseSegmentName } from '../../spool/index.ts';
import { ask, type Reply } from '../ask.ts';
import { isTlsTrouble, type Target } from '../client.ts';
import { readDisk } from '../processes/disk.ts';
import type { CollectorAnswers, HostFacts, PortTrial, Refusal } from './facts.ts';
import { readFirewall } from './firewall.ts';
import { defaultGateways, holderOf, listeningSockets, receiveBufferLimit } from './proc-net.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** Asks a running collector for all that the checks need. */
export async function askCollector({
  url,
  token,
  trust,
}: Target): Promise<{ collector: CollectorAnswers | null; refusal: Refusal | null }> {
  const refuse = (kind: Refusal['kind'], message: string) => ({ collector: null, refusal: { kind, message } });
  const get = (path: string): Promise<Reply> =>
    ask(url + path, { method: 'GET', token, trust, timeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const answers = await Promise.all([get('/api/v1/status'), get('/api/v1/exporters'), get('/readyz')]);
    const [status, exporters, ready] = answers.map(({ text }) => parsed(text)) as [
      StatusResponse | null,
      ExportersResponse | null,
      ReadyResponse | null,
    ];
    if (answers[0]?.status === 401) return refuse('unauthorized', 'it asks for a token');
    if (!status?.ledger || !exporters?.exporters || !ready?.reasons) {
      const code = answers[0]?.status ?? 0;
      return code >= 500
        ? refuse('error', `it answers with an error (${code})`)
        : refuse('stranger', `something answers (status ${code}) that is not this version of Ringflow`);
    }
    return { collector: { status, exporters: exporters.exporters, ready }, refusal: null };
  } catch (error) {
    const { code, name, message, cause } = error as NodeJS.ErrnoException & { cause?: Error };
    if (name === 'TimeoutError' || cause?.name === 'TimeoutError')
      return refuse('unreachable', `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
    if (code?.startsWith('HPE_') || code === 'ECONNRESET')
      return refuse('stranger', 'something answers that does not speak HTTP');
    if (isTlsTrouble(code)) return refuse('untrusted', code as string);
    return refuse('unreachable', code ?? message);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Looks at this machine. */
export async function examineHost(config: Config, isRunning: boolean): Promise<HostFacts> {
  return {
    trials: isRunning ? [] : await tryPorts(config),
    openUdpPorts: listeningSockets('udp')?.map(({ port }) => port) ?? null,
    receiveBufferLimit: receiveBufferLimit(),
    isRoot: process.getuid?.() === 0,
    firewall: readFirewall(processEnvironment({})['PATH'] ?? ''),
    disk: readDisk(nearestFolder(config.data_dir)),
    dataProblem: writeProblem(nearestFolder(config.data_dir)),
    spool: isRunning ? null : spoolOf(join(config.data_dir, 'spool')),
    mainPid: runningMain(join(config.data_dir, 'ringflow.pid')),
    gateways: defaultGateways(),
  };
}

async function tryPorts(config: Config): Promise<PortTrial[]> {
  const trials: PortTrial[] = [];
  const note = (what: PortTrial['what'], endpoint: string, port: number, refusal: string | null): void => {
    const holder = refusal === 'EADDRINUSE' ? holderOf(what === 'UDP' ? 'udp' : 'tcp', port) : null;
    trials.push({ what, endpoint, port, refusal, holder });
  };
  for (const text of config.inlet.listen) {
    const endpoint = parseEndpoint(text);
    if (endpoint) note('UDP', text, endpoint.port, await tryUdp(endpoint.address, endpoint.port));
  }
  const { host, port } = config.http;
  note('TCP', `${host}:${port}`, port, await tryTcp(host, port));
  return trials;
}

/** Code of the system's refusal, null when the port can be opened; it is closed again at once. */
function tryUdp(address: string, port: number): Promise<string | null> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? error.message);
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}

function tryTcp(host: string, port: number): Promise<string | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function writeProblem(folder: string): string | null {
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is not a folder`;
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return `${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}

function spoolOf(folder: string): HostFacts['spool'] {
  try {
    const names = readdirSync(folder).filter((name) => parseSegmentName(name) !== null);
    const sizes = names.map((name) => statSync(join(folder, name)).size);
    return { segments: sizes.length, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) };
  } catch {
    return null;
  }
}

function runningMain(path: string): number | null {
  try {
    const { main } = JSON.parse(readFileSync(path, 'utf8')) as { main: number };
    process.kill(main, 0);
    return main;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 0 : null;
  }
}

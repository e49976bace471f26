import { existsSync } from 'node:fs';
import { parseDuration } from '@ringflow/contract';
import { readConfig, type Config } from '../config/index.ts';
import { readTrust, type Trust } from './ask.ts';
import { clientOptions, resolveClient } from './client.ts';
import { UsageError, type Arguments, type Io } from './command.ts';
import { diagnose, SEVERITIES, worstOf, type Diagnosis, type Severity } from './doctor/checks.ts';
import { askCollector, examineHost } from './doctor/examine.ts';
import type { DoctorFacts } from './doctor/facts.ts';

/** As Nagios and its kin want it. */
const EXIT_OF: Readonly<Record<Severity, number>> = { ok: 0, warn: 1, fail: 2 };
const DEFAULT_SILENT_MS = 300_000;

/** `ringflow doctor`: why do I see nothing? */
export async function run(args: Arguments, io: Io): Promise<number> {
  const silentAfter = args.text('silent-after');
  const silentAfterMs = silentAfter === undefined ? DEFAULT_SILENT_MS : parseDuration(silentAfter);
  if (silentAfterMs === null || silentAfterMs <= 0)
    throw new UsageError(
      `--silent-after must be a duration, not "${silentAfter}"`,
      'Write for example --silent-after 5m',
    );
  const facts = await gather(args, silentAfterMs);
  const findings = diagnose(facts);
  const worst = worstOf(findings);
  if (args.flag('json')) {
    const { url, nowMs } = facts;
    io.out(`${JSON.stringify({ status: worst, url, time: new Date(nowMs).toISOString(), findings }, null, 2)}\n`);
  } else io.out(formatDiagnosis(findings, facts));
  return EXIT_OF[worst];
}

async function gather(args: Arguments, silentAfterMs: number): Promise<DoctorFacts> {
  const { config, problems, file } = readConfig(args.text('config'));
  // A broken configuration is a finding; where it is broken, its defaults must do.
  const target = resolveClient(clientOptions(args), ownAddress(config));
  const { url } = target;
  const { collector, refusal } = await askCollector(target);
  const isHere = isLocal(new URL(url).hostname);
  return {
    url,
    nowMs: Date.now(),
    silentAfterMs,
    config,
    configFile: file,
    configProblems: problems,
    collector,
    refusal,
    host: isHere && problems.length === 0 ? await examineHost(config, collector !== null) : null,
  };
}

/** Where the collector of this configuration listens. */
function ownAddress({ http }: Config): { url: string; token: string; trust: () => Trust } {
  const host = ['0.0.0.0', '::', ''].includes(http.host) ? '127.0.0.1' : http.host;
  const { cert } = http.tls;
  return {
    url: `${cert === '' ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${http.port}`,
    token: http.token,
    // Its own certificate proves who it is, by whatever name it was asked.
    trust: () => (cert !== '' && existsSync(cert) ? { ...readTrust({ ca: cert }), anyName: true } : {}),
  };
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

const MARKS: Readonly<Record<Severity, string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' };

/** For people: one line per finding, with what to do under those that are not well, and the sum of it. */
function formatDiagnosis(findings: readonly Diagnosis[], { host, configProblems }: DoctorFacts): string {
  const width = Math.max(...findings.map(({ title }) => title.length));
  const indent = ' '.repeat(width + 8);
  const lines = findings.map(
    ({ status, title, message, mend }) =>
      `${MARKS[status]}  ${title.padEnd(width)}  ${message}${mend === undefined ? '' : `\n${indent}→ ${mend}`}`,
  );
  const sums = SEVERITIES.map(
    (status) => `${findings.filter((finding) => finding.status === status).length} ${status}`,
  );
  const note =
    host || configProblems.length > 0 ? '' : 'Only what the collector says was looked at, not the machine it runs on\n';
  return `${lines.join('\n')}\n\n${note}${sums.join(', ')}\n`;
}

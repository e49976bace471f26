import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';

/**
 * For tests only: ClickHouse's HTTP interface in front of the real embedded engine, as far as the remote engine uses
 * it — query in the address or the body, data of an INSERT in the body, settings and `param_…` in the address, one
 * external table as multipart/form-data, errors with their code, X-ClickHouse-Summary. It is not ClickHouse: what the
 * server itself does (sessions, compression, formats of errors in mid-answer) is not shown by tests that use it.
 *
 * With a cluster it has that one in its `remote_servers`, with itself as the only server, so that Distributed tables are
 * real. The embedded engine has no Keeper: `ON CLUSTER` is taken out of statements, and Replicated tables become plain
 * ones with the same deduplication. What Keeper does, and a second server, is not shown.
 */
export interface HttpFront {
  readonly url: string;
  /** Statements that make, change or drop something, as they came. */
  readonly definitions: readonly string[];
  /** Refuses connections until {@link HttpFront.resume}. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** Parameters of the address that are not settings. */
const OWN = /^(query|database|query_id|param_.*|segment_.*|default_format|session_id|role)$/;
/** Settings that the embedded engine does not have or need. */
const SKIPPED = new Set([
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'enable_http_compression',
]);

/** @param cluster name of the cluster that it is; none by default */
export async function startHttpFront(cluster?: string): Promise<HttpFront> {
  const directory = await mkdtemp(join(tmpdir(), 'ringflow-front-'));
  const configuration = join(directory, 'config.xml');
  if (cluster !== undefined) await writeFile(configuration, clusterConfiguration(cluster));
  const definitions: string[] = [];
  const sessions: Session[] = [];
  const idle: Session[] = [];
  let files = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://front');
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Uint8Array);
    } catch {
      // Who asked is gone.
      return;
    }
    const body = new Blob(chunks);
    let sql = url.searchParams.get('query') ?? '';
    const path = join(directory, `body-${++files}.native`);
    const multipart = request.headers['content-type']?.startsWith('multipart/form-data') === true;
    try {
      if (multipart) {
        const form = await new Response(body, {
          headers: { 'content-type': request.headers['content-type'] as string },
        }).formData();
        await writeFile(path, new Uint8Array(await (form.get('segment') as unknown as Blob).arrayBuffer()));
        sql = sql.replace(
          /\bsegment\b/,
          `file('${path}', 'Native', '${(url.searchParams.get('segment_structure') as string).replace(/'/g, "\\'")}')`,
        );
      } else if (/^\s*INSERT[\s\S]*FORMAT Native\s*$/i.test(sql)) {
        await writeFile(path, new Uint8Array(await body.arrayBuffer()));
        // input('structure') is the body of the request in its format.
        sql = sql.replace(/\binput\((?=')/, `file('${path}', 'Native', `).replace(/FORMAT Native\s*$/i, '');
      } else sql += await body.text();
      const result = await run(sql.trim(), url.searchParams);
      response.writeHead(200, {
        'content-type': 'text/plain',
        'x-clickhouse-summary': JSON.stringify({
          read_rows: String(result.rowsRead),
          read_bytes: String(result.bytesRead),
          elapsed_ns: String(Math.round(result.elapsed * 1e9)),
        }),
      });
      response.end(result.bytes);
    } catch (error) {
      const { message, clickhouseCode = 0 } = error as { message: string; clickhouseCode?: number };
      response.writeHead(500, { 'x-clickhouse-exception-code': String(clickhouseCode) });
      response.end(message);
    } finally {
      await rm(path, { force: true });
    }
  }

  async function run(
    sql: string,
    search: URLSearchParams,
  ): Promise<{ bytes: Uint8Array; rowsRead: number; bytesRead: number; elapsed: number }> {
    const settings = [...search]
      .filter(([name]) => !OWN.test(name) && !SKIPPED.has(name))
      .map(([name, value]) => `${name} = '${value.replace(/['\\]/g, '\\$&')}'`);
    const format = /\bFORMAT (\w+)\s*$/i.exec(sql);
    let text = format ? sql.slice(0, format.index) : sql;
    if (/^(CREATE|ALTER|DROP)\b/i.test(text)) definitions.push(text);
    if (cluster !== undefined) text = withoutKeeper(text);
    // Parameters arrive in their escaped text form; the embedded engine takes them as SET param_… = '…'.
    const session = idle.pop() ?? open();
    try {
      if (search.has('database')) await session.queryAsync(`USE ${search.get('database') as string}`);
      for (const [name, value] of search)
        if (name.startsWith('param_')) await session.queryAsync(`SET ${name} = '${value.replace(/['\\]/g, '\\$&')}'`);
      if (/^(SELECT|INSERT)\b/i.test(text) && settings.length > 0) text += ` SETTINGS ${settings.join(', ')}`;
      const result = await session.queryAsync(text, { format: format?.[1] ?? 'TabSeparated' });
      // Copied: the memory is the engine's.
      const bytes = Uint8Array.from(result.bytes());
      return { bytes, rowsRead: result.rowsRead, bytesRead: result.bytesRead, elapsed: result.elapsed };
    } catch (error) {
      await session.queryAsync('SELECT 1').catch(() => undefined);
      throw error;
    } finally {
      idle.push(session);
    }
  }

  function open(): Session {
    const session = new Session(join(directory, 'engine'), {
      connectionArgs: cluster === undefined ? [] : [`--config-file=${configuration}`],
    });
    sessions.push(session);
    return session;
  }

  const server = createServer((request, response) => void answer(request, response));
  const listen = (port: number) => new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  const pause = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((done) => server.close(done));
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    definitions,
    pause,
    resume: () => listen(port),
    async close() {
      await pause();
      for (const session of sessions) session.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The port is nobody's: the engine sees that the cluster's only server is itself. */
function clusterConfiguration(cluster: string): string {
  return `<clickhouse>
  <tcp_port>9000</tcp_port>
  <remote_servers><${cluster}><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></${cluster}></remote_servers>
  <macros><shard>1</shard><replica>a</replica></macros>
</clickhouse>`;
}

function withoutKeeper(statement: string): string {
  return statement
    .replace(/ ON CLUSTER '[^']*'/g, '')
    .replace(/\bReplicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?/g, '$1(')
    .replace(
      /\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/g,
      'non_replicated_deduplication_window = $1',
    );
}

import { EngineError } from './engine-error.ts';
import type { RunOptions, Settings } from './engine.ts';

/** Bytes that one query may put aside on disk, and of its answer. */
const MAX_SPILL_BYTES = 4 * 1024 ** 3;
const MAX_ANSWER_BYTES = 256 * 1024 ** 2;

/**
 * Share of a query's memory from which it spills. A table of addresses that grows by half at a time, in each of two
 * threads, must stay below the bound: with a half, 32 million pairs of addresses did not fit 1 GiB; with a quarter they
 * are grouped in 512 MiB.
 */
const SPILL_SHARE = 0.25;

/**
 * Settings that every read from outside runs with. `readonly` refuses writes, other servers and, in the embedded
 * engine, table functions that open files or connections; {@link refuseForeign} refuses what it lets through.
 */
export function boundedSettings(options: RunOptions): Settings {
  const spillBytes = Math.floor(options.maxMemoryBytes * SPILL_SHARE);
  return {
    readonly: 1,
    log_comment: queryTag(options.id),
    max_execution_time: options.timeoutMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: options.maxMemoryBytes,
    max_bytes_before_external_group_by: spillBytes,
    max_bytes_before_external_sort: spillBytes,
    max_temporary_data_on_disk_size_for_query: MAX_SPILL_BYTES,
    max_result_rows: options.maxRows,
    max_result_bytes: MAX_ANSWER_BYTES,
    result_overflow_mode: 'throw',
    output_format_json_quote_64bit_integers: 0,
    output_format_json_quote_denormals: 0,
  };
}

/**
 * Settings of an export on top: its rows are never in memory together, so only the file bounds them; one thread, because a
 * dashboard is more urgent.
 */
export const EXPORT_SETTINGS: Settings = {
  max_result_bytes: 0,
  max_threads: 1,
  max_insert_threads: 1,
  output_format_json_validate_utf8: 1,
  output_format_json_escape_forward_slashes: 0,
  output_format_parquet_row_group_size: 100_000,
};

/** Characters that may stand in a quoted setting as they are. */
export function queryTag(id: string): string {
  return id.replace(/[^\w:.-]/g, '_').slice(0, 128);
}

/** Relations that a read from outside may name: our tables, and the names that statements give to parts of themselves. */
const RELATIONS = /^(?:flows|names|rings_\w+|top_(?:5m|1h|1d|open)|source|top)$/;

/** Functions of queries. Others may read files (`file`), wait (`sleep`) or tell about the host (`hostName`). */
const FUNCTIONS: ReadonlySet<string> = new Set(
  `abs and any argMax array arrayElement arrayExists arrayJoin arrayMap arrayReverseSort arraySlice arraySort arrayZip bitAnd bitOr bitShiftLeft bitShiftRight
  ceil cityHash64 coalesce concat count countIf dateDiff defaultValueOfArgumentType empty equals fromUnixTimestamp64Milli
  fromUnixTimestamp64Nano greatest groupArray grouping groupUniqArray groupUniqArrayArrayIf groupUniqArrayIf has hasAny hasSubstr hex if
  ifNull ilike in indexOf intDiv IPv4CIDRToRange IPv4NumToString IPv6CIDRToRange IPv6NumToString isIPAddressInRange JSONExtractString least
  length like log2 lower lowerUTF8 match max maxIf min minIf modulo multiIf not notEmpty or position positionCaseInsensitive
  quantile range replaceOne round rowNumberInAllBlocks sum sumIf toBool toDate toDateTime toDateTime64 toFloat64 toFloat64OrNull toInt32 toInt64
  toIPv4 toIPv6 toStartOfInterval toStartOfMinute toString toUInt128 toUInt16 toUInt32 toUInt32OrZero toUInt64 toUInt8 toUnixTimestamp
  toUnixTimestamp64Milli toUnixTimestamp64Nano transform tuple tupleElement uniq uniqCombined64 uniqCombined64ArrayIf
  uniqCombined64If uniqExact upper upperUTF8`.split(/\s+/),
);

const NO_MORE: ReadonlySet<string> = new Set();

/** Functions that values of an export are written with, beside those of queries. */
export const EXPORT_FUNCTIONS: ReadonlySet<string> = new Set([
  'MACNumToString',
  'arrayFilter',
  'arrayStringConcat',
  'char',
]);

/** Words before a bracket that are no functions. */
const KEYWORDS =
  /^(?:select|from|where|having|by|in|and|or|not|as|on|using|join|over|sets|limit|offset|union|all|distinct|with|then|when|else|between|like|ilike|prewhere)$/i;

/**
 * Refuses statements that could leave our tables or undo their bounds: of two SETTINGS clauses the last one wins, INTO
 * OUTFILE writes and `file('/etc/passwd')` as a function reads in spite of `readonly`. Our own statements have none of
 * it, and values are bound, so this is a second lock: a bug in a statement is an error and not a leak.
 *
 * @param more functions beyond those of queries
 * @throws EngineError `query_failed` with what is refused
 */
export function refuseForeign(sql: string, more: ReadonlySet<string> = NO_MORE): void {
  const refuse = (what: string): never => {
    throw new EngineError('query_failed', 0, `A query must not contain ${what.slice(0, 64)}`);
  };
  // What is left stands for texts (§, which is no relation) and placeholders (?).
  const bare = sql.replace(/'(?:[^'\\]|\\.)*'/g, '§').replace(/\{\w+:[\w() ,]+\}/g, '?');
  const forbidden = /\b(?:settings|outfile|format|into)\b|;|--|#|\/\*|['`"\\$]/i.exec(bare);
  if (forbidden) refuse(forbidden[0]);
  if (!/^\(?(?:select|with)\b/i.test(bare)) refuse(bare.split(/\W/, 1)[0] as string);
  for (const [, name] of bare.matchAll(/([A-Za-z_]\w*)\s*\(/g))
    if (!FUNCTIONS.has(name as string) && !more.has(name as string) && !KEYWORDS.test(name as string))
      refuse(`${name}()`);
  // ARRAY JOIN takes an expression, every other JOIN and FROM a relation; IN without a bracket takes one, too.
  for (const [, name] of bare.matchAll(/(?:\bfrom|(?<!\barray\s+)\bjoin|\bin)\s+(?![(?])([^\s(),]+)/gi))
    if (!RELATIONS.test(name as string)) refuse(name as string);
  for (const [name] of bare.matchAll(/\b[A-Za-z_]\w*\s*\.\s*\w+/g)) if (!/^rings\.\w+$/.test(name)) refuse(name);
}

/** `SETTINGS a = 1, b = 'c'`; the values are ours. */
export function settingsClause(settings: Settings): string {
  const entries = Object.entries(settings);
  if (entries.length === 0) return '';
  return ` SETTINGS ${entries.map(([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value.replace(/['\\]/g, '\\$&')}'`}`).join(', ')}`;
}

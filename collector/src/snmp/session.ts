import snmp, { type TableColumnsData, type User } from 'net-snmp';
import type { SnmpConfig, SnmpCredentials } from './config.ts';

/** What an exporter answered. */
export interface SnmpAnswer {
  /** `sysName` (RFC 3418). */
  readonly name: string;
  readonly interfaces: readonly SnmpInterface[];
  /** When the counters were read, milliseconds since the epoch. */
  readonly atMs: number;
}

/** An interface of the IF-MIB (RFC 2863). */
export interface SnmpInterface {
  /** ifIndex. */
  readonly index: number;
  /** ifName, else ifDescr. */
  readonly name: string;
  /** ifAlias, what the operator wrote. */
  readonly description: string;
  readonly speedBps: number;
  /** ifHCInOctets and ifHCOutOctets; null where the exporter has no 64-bit counters. */
  readonly inBytes: bigint | null;
  readonly outBytes: bigint | null;
}

const SYS_NAME = '1.3.6.1.2.1.1.5.0';
const IF_TABLE = { oid: '1.3.6.1.2.1.2.2', descr: 2, speed: 5 } as const;
const IF_X_TABLE = {
  oid: '1.3.6.1.2.1.31.1.1',
  name: 1,
  hcInOctets: 6,
  hcOutOctets: 10,
  highSpeed: 15,
  alias: 18,
} as const;
/** Varbinds of one answer: with some columns of text, they fit a datagram of 1500 bytes or a few fragments. */
const MAX_REPETITIONS = 20;

/**
 * Asks one exporter for its name and its interfaces.
 *
 * @param address text form of the exporter's address
 * @throws Error with the reason of net-snmp: a timeout, a wrong user or password, a refused view
 */
export async function askExporter(
  address: string,
  credentials: SnmpCredentials,
  config: Pick<SnmpConfig, 'timeout_ms' | 'retries' | 'max_interfaces'>,
  now: () => number,
): Promise<SnmpAnswer> {
  const options = {
    port: credentials.port ?? 161,
    retries: config.retries,
    timeout: config.timeout_ms,
    transport: address.includes(':') ? ('udp6' as const) : ('udp4' as const),
    ...(credentials.context === undefined ? {} : { context: credentials.context }),
  };
  const session =
    credentials.user === undefined
      ? snmp.createSession(address, credentials.community ?? '', { ...options, version: snmp.Version2c })
      : snmp.createV3Session(address, userOf(credentials), { ...options, version: snmp.Version3 });
  const failed = new Promise<never>((_, reject) => session.on('error', reject));
  const columns = (oid: string, wanted: readonly number[]): Promise<TableColumnsData> =>
    new Promise((resolve, reject) => {
      session.tableColumns(oid, wanted.map(String), MAX_REPETITIONS, (error, table) =>
        error ? reject(error) : resolve(table ?? {}),
      );
    });
  const walk = async (): Promise<SnmpAnswer> => {
    const name = await new Promise<string>((resolve, reject) => {
      session.get([SYS_NAME], (error, varbinds) => {
        const [varbind] = varbinds ?? [];
        if (error) reject(error);
        else resolve(varbind && !snmp.isVarbindError(varbind) ? textOf(varbind.value) : '');
      });
    });
    const named = await columns(IF_X_TABLE.oid, [
      IF_X_TABLE.name,
      IF_X_TABLE.hcInOctets,
      IF_X_TABLE.hcOutOctets,
      IF_X_TABLE.highSpeed,
      IF_X_TABLE.alias,
    ]);
    const atMs = now();
    const basic = await columns(IF_TABLE.oid, [IF_TABLE.descr, IF_TABLE.speed]);
    const indexes = [...new Set([...Object.keys(named), ...Object.keys(basic)])].slice(0, config.max_interfaces);
    return {
      name,
      atMs,
      interfaces: indexes.map((index) => interfaceOf(Number(index), named[index] ?? {}, basic[index] ?? {})),
    };
  };
  try {
    return await Promise.race([walk(), failed]);
  } finally {
    session.close();
  }
}

function interfaceOf(
  index: number,
  named: Readonly<Record<number, unknown>>,
  basic: Readonly<Record<number, unknown>>,
): SnmpInterface {
  // ifSpeed stops at 4.29 Gbit/s, ifHighSpeed counts millions (RFC 2863 3.1.6).
  const highSpeed = Number(named[IF_X_TABLE.highSpeed] ?? 0);
  return {
    index,
    name: textOf(named[IF_X_TABLE.name]) || textOf(basic[IF_TABLE.descr]),
    description: textOf(named[IF_X_TABLE.alias]),
    speedBps: highSpeed > 0 ? highSpeed * 1e6 : Number(basic[IF_TABLE.speed] ?? 0),
    inBytes: counterOf(named[IF_X_TABLE.hcInOctets]),
    outBytes: counterOf(named[IF_X_TABLE.hcOutOctets]),
  };
}

/** 64-bit counters come as up to eight bytes. */
function counterOf(value: unknown): bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint') return BigInt(value);
  if (!Buffer.isBuffer(value) || value.length === 0) return null;
  return BigInt(`0x${value.toString('hex')}`);
}

const MAX_TEXT = 256;

/** What an exporter says is shown to people: no control characters, bounded. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return String(value)
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}

function userOf(credentials: SnmpCredentials): User {
  const {
    user = '',
    auth_protocol: auth,
    auth_password: authKey,
    priv_protocol: priv,
    priv_password: privKey,
  } = credentials;
  const { noAuthNoPriv, authNoPriv, authPriv } = snmp.SecurityLevel;
  return {
    name: user,
    level: priv ? authPriv : auth ? authNoPriv : noAuthNoPriv,
    ...(auth && authKey !== undefined ? { authProtocol: snmp.AuthProtocols[auth], authKey } : {}),
    ...(priv && privKey !== undefined ? { privProtocol: snmp.PrivProtocols[priv], privKey } : {}),
  };
}

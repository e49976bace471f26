import { formatAddressBytes, formatFlowType, formatMac } from '@ringflow/contract';
import { findElement, type CountersRecord, type OptionsField, type OptionsRecord } from '../wire/index.ts';
import { jsonString } from './row-json.ts';

/** An options record as JSON; fields are a list, because names may repeat and come from the wire (X06). */
export function optionsAsJson(record: OptionsRecord): string {
  const fields = record.fields.map(
    (field) => `{"name":${jsonString(field.name)},"pen":${field.pen},"id":${field.id},"value":${fieldAsJson(field)}}`,
  );
  return (
    `{"kind":"options","type":${jsonString(formatFlowType(record.type))},"time_received_ns":${record.arrivalMs}000000,` +
    `"sampler_address":${jsonString(record.source.address)},"observation_domain_id":${record.domain},` +
    `"template_id":${record.templateId},"fields":[${fields.join(',')}]}`
  );
}

/** A counter record of an sFlow agent as JSON. */
export function countersAsJson(record: CountersRecord): string {
  const values = Object.entries(record.values).map(
    ([name, value]) => `${jsonString(name)}:${typeof value === 'string' ? jsonString(value) : String(value)}`,
  );
  return (
    `{"kind":"counters","type":"SFLOW_5","time_received_ns":${record.arrivalMs}000000,"sampler_address":${jsonString(record.agent)},` +
    `"observation_domain_id":${record.subAgent},"sequence_num":${record.sequence},"source_id_type":${record.sourceIdType},` +
    `"source_id_index":${record.sourceIdIndex},"enterprise":${record.enterprise},"format":${record.format},"values":{${values.join(',')}}}`
  );
}

/** The value of an element by its type; hexadecimal digits for what has none here. */
function fieldAsJson(field: OptionsField): string {
  const { bytes } = field;
  const type = field.scope ? undefined : findElement(field.pen, field.id)?.type;
  if (type === 'string') {
    const end = bytes.indexOf(0);
    return jsonString(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trimEnd());
  }
  if (type === 'ipv6Address' && bytes.length === 16) return `"${formatAddressBytes(bytes)}"`;
  if (type === 'ipv4Address' && bytes.length === 4) return `"${bytes.join('.')}"`;
  if (type === 'macAddress' && bytes.length === 6) return `"${formatMac(integer(bytes))}"`;
  const isNumber = type === undefined ? field.scope : /^(unsigned|dateTime(Seconds|Milliseconds)|boolean)/.test(type);
  if (isNumber && bytes.length <= 8) return String(integer(bytes));
  if (type?.startsWith('float') && (bytes.length === 4 || bytes.length === 8)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const value = bytes.length === 4 ? view.getFloat32(0) : view.getFloat64(0);
    return Number.isFinite(value) ? String(value) : 'null';
  }
  return `"${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}

/** Big-endian integer of any length up to eight bytes. */
function integer(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

import type { DecodeSink, OptionsField, OptionsRecord } from './decoder.ts';
import { elementName, scopeName } from './elements.ts';
import { fieldsOfKey } from './template-fields.ts';
import type { Template } from './templates.ts';

/**
 * Reads the data records of an options template (RFC 7011 3.4.2.2, RFC 3954 6.1) and hands each to the sink. They are
 * few: names, sampling tables, statistics.
 *
 * @returns records read, and whether the set ended in the middle of one
 */
export function readOptions(
  template: Template,
  view: DataView,
  bytes: Uint8Array,
  from: number,
  end: number,
  about: { type: number; arrivalMs: number },
  sink: DecodeSink,
  seen: (record: OptionsRecord) => void,
): { records: number; malformed: boolean } {
  const { session, scopeCount } = template;
  const fields = fieldsOfKey(template.key);
  const v9 = session.version === 9;
  let minLength = 0;
  for (const field of fields) minLength += field.length === 65_535 ? 1 : field.length;
  let at = from;
  let records = 0;
  while (at + minLength <= end) {
    const read: OptionsField[] = [];
    for (let i = 0; i < fields.length; i++) {
      const { pen, id, length: declared } = fields[i] as (typeof fields)[number];
      let length = declared;
      if (declared === 65_535) {
        if (at + 1 > end) return { records, malformed: true };
        length = view.getUint8(at++);
        if (length === 255) {
          if (at + 2 > end) return { records, malformed: true };
          length = view.getUint16(at);
          at += 2;
        }
      }
      if (at + length > end) return { records, malformed: true };
      // NetFlow v9 numbers its scopes apart (T20); an IPFIX scope field is an element like any other.
      const scope = v9 && i < scopeCount;
      read.push({
        pen,
        id,
        scope,
        name: scope ? scopeName(id) : elementName(pen, id),
        bytes: bytes.subarray(at, at + length),
      });
      at += length;
    }
    const record: OptionsRecord = {
      source: session.source,
      type: about.type,
      domain: session.domain,
      templateId: template.id,
      arrivalMs: about.arrivalMs,
      fields: read,
    };
    seen(record);
    sink.options(record);
    records++;
  }
  return { records, malformed: false };
}

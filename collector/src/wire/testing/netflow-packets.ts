import { bytes, u16, u32 } from './packets.ts';

/** Builders of NetFlow v9 and IPFIX datagrams for tests; nothing of the decoder is used. */
export type FieldSpec = readonly [id: number, length: number, pen?: number];

const set = (id: number, body: readonly number[]): number[] => bytes(u16(id), u16(body.length + 4), body);
const fieldSpecs = (fields: readonly FieldSpec[]): number[] =>
  fields.flatMap(([id, length, pen]) =>
    pen === undefined ? bytes(u16(id), u16(length)) : bytes(u16(id | 0x8000), u16(length), u32(pen)),
  );

export interface V9Header {
  uptimeMs?: number;
  seconds?: number;
  sequence?: number;
  domain?: number;
}

export const v9 = (sets: readonly (readonly number[])[], header: V9Header = {}): Uint8Array =>
  Uint8Array.from(
    bytes(
      u16(9),
      u16(sets.length),
      u32(header.uptimeMs ?? 1_000_000),
      u32(header.seconds ?? 1_700_000_000),
      u32(header.sequence ?? 1),
      u32(header.domain ?? 7),
      sets.flat(),
    ),
  );

export const ipfix = (
  sets: readonly (readonly number[])[],
  header: { seconds?: number; sequence?: number; domain?: number } = {},
): Uint8Array => {
  const body = sets.flat();
  return Uint8Array.from(
    bytes(
      u16(10),
      u16(body.length + 16),
      u32(header.seconds ?? 1_700_000_000),
      u32(header.sequence ?? 1),
      u32(header.domain ?? 7),
      body,
    ),
  );
};

export const v9Template = (id: number, fields: readonly FieldSpec[]): number[] =>
  set(0, bytes(u16(id), u16(fields.length), fieldSpecs(fields)));
export const ipfixTemplate = (id: number, fields: readonly FieldSpec[]): number[] =>
  set(2, bytes(u16(id), u16(fields.length), fieldSpecs(fields)));
export const v9OptionsTemplate = (id: number, scopes: readonly FieldSpec[], options: readonly FieldSpec[]): number[] =>
  set(1, bytes(u16(id), u16(scopes.length * 4), u16(options.length * 4), fieldSpecs(scopes), fieldSpecs(options)));
export const ipfixOptionsTemplate = (id: number, scopes: number, fields: readonly FieldSpec[]): number[] =>
  set(3, bytes(u16(id), u16(fields.length), u16(scopes), fieldSpecs(fields)));
export const data = (id: number, ...records: readonly (readonly number[])[]): number[] => set(id, records.flat());
export const u64 = (value: number): number[] =>
  bytes(u32(Math.floor(value / 4_294_967_296)), u32(value % 4_294_967_296));

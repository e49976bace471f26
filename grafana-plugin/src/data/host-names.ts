import { createFieldTable, parseAddress, type ResolveResponse } from '@ringflow/contract';
import {
  FieldType,
  LoadingState,
  MappingType,
  type DataFrame,
  type DataQueryResponse,
  type Field,
  type ValueMapping,
} from '@grafana/data';
import { catchError, concat, defer, map, of, type Observable } from 'rxjs';
import { errorText } from './errors';

/** Asks the collector for names of addresses. */
export type LookUp = (addresses: string[]) => Promise<ResolveResponse>;

/** Addresses of one look-up: what a collector takes that was not told otherwise. */
export const MOST_ADDRESSES = 500;

const FIELDS = createFieldTable();

/** What a query's `resolve` says, once variables are filled in. */
export function wantsHostNames(resolve: boolean | string | undefined): boolean {
  return resolve === true || resolve === 'on' || resolve === 'true';
}

/**
 * The answer with its addresses, and once more when their names are known: name servers may be slow, rows need not wait.
 *
 * @param wanted the frames whose addresses are looked up
 */
export function withHostNames(
  response: DataQueryResponse,
  wanted: (frame: DataFrame) => boolean,
  lookUp: LookUp,
): Observable<DataQueryResponse> {
  const frames = response.data as DataFrame[];
  const addresses = addressesOf(frames.filter(wanted)).slice(0, MOST_ADDRESSES);
  if (addresses.length === 0) return of(response);
  const change = (how: (frame: DataFrame) => DataFrame): DataQueryResponse => ({
    ...response,
    data: frames.map((frame) => (wanted(frame) ? how(frame) : frame)),
  });
  const named = defer(() => lookUp(addresses)).pipe(
    map(({ results }) => {
      const names = new Map(results.flatMap(({ address, names: [name] }) => (name ? [[address, name] as const] : [])));
      return change((frame) => ({ ...frame, fields: frame.fields.map((field) => withNames(field, names)) }));
    }),
    catchError((error: unknown) => of(change((frame) => withNotice(frame, errorText(error))))),
  );
  return concat(of({ ...response, state: LoadingState.Loading }), named);
}

/** What a value is shown as in place of itself; empty where it is shown as it is. */
export function hostNameOf({ config }: Field, value: string): string {
  for (const mapping of config.mappings ?? [])
    if (mapping.type === MappingType.ValueToText) return mapping.options[value]?.text ?? '';
  return '';
}

function isAddressField({ name, type }: Field): boolean {
  return type === FieldType.string && FIELDS.find(name)?.kind === 'addr';
}

/** Every address once; `other` and what is empty are none. */
function addressesOf(frames: readonly DataFrame[]): string[] {
  const values = frames.flatMap(({ fields }) =>
    fields.filter(isAddressField).flatMap((field): unknown[] => field.values),
  );
  return [...new Set(values)].filter(
    (value): value is string => typeof value === 'string' && parseAddress(value) !== null,
  );
}

/** The value stays the address, so that filters and links mean it; only what is shown changes. */
function withNames(field: Field, names: ReadonlyMap<string, string>): Field {
  if (!isAddressField(field)) return field;
  const shown = new Set((field.values as unknown[]).filter((value): value is string => names.has(value as string)));
  if (shown.size === 0) return field;
  const mapping: ValueMapping = {
    type: MappingType.ValueToText,
    options: Object.fromEntries([...shown].map((address) => [address, { text: names.get(address) as string }])),
  };
  return { ...field, config: { ...field.config, mappings: [mapping, ...(field.config.mappings ?? [])] } };
}

function withNotice(frame: DataFrame, text: string): DataFrame {
  const notice = { severity: 'warning' as const, text: `Addresses have no names: ${text}` };
  return { ...frame, meta: { ...frame.meta, notices: [...(frame.meta?.notices ?? []), notice] } };
}

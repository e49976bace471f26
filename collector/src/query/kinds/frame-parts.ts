import type { DataFrameJson } from '@ringflow/contract';

/** Gives a frame its name; the panel finds nodes and edges by it. */
export function named(name: string, frame: DataFrameJson): DataFrameJson {
  return { ...frame, schema: { ...frame.schema, name } };
}

/** A frame that comes with another one: what is said about both is said once. */
export function second(frame: DataFrameJson): DataFrameJson {
  const { meta } = frame.schema;
  const custom = { ...meta.custom, rowsRead: 0, bytesRead: 0, elapsedMs: 0, notices: [] };
  return {
    ...frame,
    schema: { ...frame.schema, meta: { ...meta, executedQueryString: '', stats: [], notices: [], custom } },
  };
}

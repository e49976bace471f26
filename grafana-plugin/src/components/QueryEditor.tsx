import React, { useLayoutEffect, useRef } from 'react';
import { css } from '@emotion/css';
import { describeQuery, migrateQuery, QUERY_VERSION, type FlowQuery } from '@ringflow/contract';
import type { GrafanaTheme2, QueryEditorProps } from '@grafana/data';
import { ErrorBoundaryAlert, useStyles2 } from '@grafana/ui';
import type { FlowDataSource } from '../datasource';
import type { FlowOptions, PanelQuery } from '../types';
import { useCatalog } from './fields';
import { Row } from './Field';
import { FilterEditor } from './FilterEditor';
import { MeasureFields } from './MeasureFields';
import { OptionsRow } from './OptionsRow';
import { ShapeFields } from './ShapeFields';

export type Props = QueryEditorProps<FlowDataSource, PanelQuery, FlowOptions>;

/** What a row of the editor gets: the whole query of the current version, and a way to change parts of it. */
export interface RowProps {
  query: FlowQuery;
  change: (parts: Partial<FlowQuery>) => void;
  /** Begins the ids of the controls. */
  id: string;
}

export function QueryEditor(props: Props) {
  return (
    <ErrorBoundaryAlert style="alertbox">
      <Editor {...props} />
    </ErrorBoundaryAlert>
  );
}

function Editor({ query: stored, onChange, onRunQuery, datasource, range }: Props) {
  const styles = useStyles2(getStyles);
  const catalog = useCatalog(datasource.collector);
  const query = migrateQuery(stored);
  const latest = useRef(stored);
  useLayoutEffect(() => {
    latest.current = stored;
  }, [stored]);
  const store = (parts: Partial<PanelQuery>) => {
    // What others keep in the query stays there.
    const next: PanelQuery = { ...stored, version: QUERY_VERSION, ...parts };
    // The Combobox of Grafana 12 tells a choice again whenever Explore draws it: without an end, if each were passed on.
    if (isEqual(next, latest.current)) return;
    latest.current = next;
    onChange(next);
    onRunQuery();
  };
  const change = (parts: Partial<FlowQuery>) => store({ kind: query.kind, ...parts });
  // Groups want a line of their own; what has none fits on one.
  const isGrouped = !['records', 'stat', 'heatmap'].includes(query.kind);
  const row = { query, change, id: `flow-${stored.refId}` };
  return (
    <div className={styles.editor}>
      <Row>
        <ShapeFields {...row} catalog={catalog} />
        {!isGrouped && <MeasureFields {...row} />}
      </Row>
      {isGrouped && (
        <Row>
          <MeasureFields {...row} />
        </Row>
      )}
      <FilterEditor
        id={row.id}
        filter={query.filter}
        onChange={(filter) => change({ filter })}
        catalog={catalog}
        collector={datasource.collector}
        {...(range ? { fromMs: range.from.valueOf(), toMs: range.to.valueOf() } : {})}
      />
      <OptionsRow {...row} catalog={catalog} view={stored} changeView={store} />
      <p className={styles.sentence} aria-live="polite" data-testid="flow-sentence">
        {describeQuery(query)}
      </p>
    </div>
  );
}

const isEqual = (one: PanelQuery, other: PanelQuery): boolean => JSON.stringify(one) === JSON.stringify(other);

const getStyles = (theme: GrafanaTheme2) => ({
  editor: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1) }),
  sentence: css({
    ...theme.typography.bodySmall,
    color: theme.colors.text.secondary,
    margin: 0,
    overflowWrap: 'anywhere',
  }),
});

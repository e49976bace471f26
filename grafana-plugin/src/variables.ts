import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { from, map, type Observable } from 'rxjs';
import { VariableEditor } from './components/VariableEditor';
import { variableOptions } from './data/variable-options';
import type { FlowDataSource } from './datasource';
import type { VariableQuery } from './types';

export const DEFAULT_VARIABLE: VariableQuery = { refId: 'variable', type: 'exporters' };

/** Makes Grafana's query variables ask the collector. */
export class FlowVariableSupport extends CustomVariableSupport<FlowDataSource, VariableQuery> {
  editor = VariableEditor;

  constructor(private readonly datasource: Pick<FlowDataSource, 'collector'>) {
    super();
  }

  override getDefaultQuery(): Partial<VariableQuery> {
    return DEFAULT_VARIABLE;
  }

  query(request: DataQueryRequest<VariableQuery>): Observable<DataQueryResponse> {
    const { targets, scopedVars, range } = request;
    const window = range ? { fromMs: range.from.valueOf(), toMs: range.to.valueOf() } : {};
    const options = variableOptions({ targets, scopedVars, ...window }, this.datasource.collector, getTemplateSrv());
    return from(options).pipe(map((data) => ({ data })));
  }
}

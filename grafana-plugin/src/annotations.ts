import type { AnnotationQuery, AnnotationSupport } from '@grafana/data';
import { AnnotationEditor } from './components/AnnotationEditor';
import { EVENTS } from './data/events';
import type { PanelQuery } from './types';

/** Events of the collector and of exporters as annotations: Grafana runs the query and maps the frame's fields by name. */
export const annotationSupport: AnnotationSupport<PanelQuery> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => ({ queryType: EVENTS }),
  prepareAnnotation: (json: AnnotationQuery<PanelQuery>) => ({
    ...json,
    target: { refId: 'Events', ...json.target, queryType: EVENTS },
  }),
  prepareQuery: ({ target }) =>
    target ? { ...target, refId: target.refId || 'Events', queryType: EVENTS } : undefined,
};

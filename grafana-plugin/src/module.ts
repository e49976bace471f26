import { DataSourcePlugin } from '@grafana/data';
import { CheatSheet } from './components/CheatSheet';
import { ConfigEditor } from './components/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { FlowDataSource } from './datasource';
import type { FlowOptions, FlowSecrets, PanelQuery } from './types';

export const plugin = new DataSourcePlugin<FlowDataSource, PanelQuery, FlowOptions, FlowSecrets>(FlowDataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(CheatSheet);

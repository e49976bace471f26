import type { Remark } from './parse.ts';

/** What flowscan.cf, or SubNetIO.cf, asks for. */
export interface ParsedFlowscan {
  /** Verbose 1: flowscan tells what it does. */
  readonly verbose: boolean;
  readonly warnings: readonly Remark[];
}

/** Modules of FlowScan and what answers their questions here. */
const REPORTS: Readonly<Record<string, string>> = {
  CUFlow: '',
  CUFlow2: '',
  CampusIO: 'group by proto, service, src_as and dst_as instead',
  SubNetIO: 'name its subnets in enrich.networks and group by src_network and dst_network instead',
};

/** The directives of flowscan.cf and of SubNetIO.cf; none of them is a setting here, and each says why. */
const DIRECTIVES: Readonly<Record<string, (value: string) => string>> = {
  FlowFileGlob: (glob) =>
    `FlowFileGlob ${glob}: exporters send here directly; bring old files with "nfdump -o json | ringflow import -"`,
  WaitSeconds: (seconds) =>
    seconds === '300' ? '' : `WaitSeconds ${seconds}: the scoreboard is kept in intervals of 300 seconds`,
  Verbose: () => '',
  ReportClasses: (list) =>
    list
      .split(/\s+/)
      .flatMap((name) => {
        const instead = Object.hasOwn(REPORTS, name) ? (REPORTS[name] as string) : 'ask the query API for its numbers';
        return instead === '' ? [] : [`Report ${name} has no counterpart: ${instead}`];
      })
      .join('; '),
  SubnetFiles: (files) => `SubnetFiles ${files}: write its networks into enrich.own and enrich.networks`,
  OutputDir: (path) => `OutputDir ${path} has no counterpart: everything is kept in data_dir`,
  TopN: (count) => `TopN ${count}: set scoreboard.rows`,
  ReportPrefixFormat: () => 'ReportPrefixFormat has no counterpart: reports are asked for over HTTP',
};

/** Reads flowscan.cf; a line that FlowScan does not know is a warning, because it ignores such lines too. */
export function parseFlowscan(text: string): ParsedFlowscan {
  const warnings: Remark[] = [];
  let verbose = false;
  text.split(/\r?\n/).forEach((raw, index) => {
    const [, name, value = ''] = /^\s*([A-Za-z]\w*)\s*(.*?)\s*$/.exec(raw.replace(/#.*$/, '')) ?? [];
    if (name === undefined) return;
    const line = index + 1;
    const about = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined;
    if (name === 'Verbose') verbose = value === '1';
    const message = about ? about(value) : `${name} is no directive of FlowScan and is left out`;
    if (message !== '') warnings.push({ line, message });
  });
  return { verbose, warnings };
}

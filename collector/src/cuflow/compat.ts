import { MULTICAST, portsFilter, seriesName, tosFilter } from './filters.ts';
import { formatRange, type Statement } from './statements.ts';

/**
 * A watch for each file of CUFlow and direction, with CUFlow's counting rules, to compare both while they run side by
 * side: only traffic that crosses the border counts, a service by its source ports (`_src`) and by its destination ports
 * (`_dst`), so that a record with two known ports counts twice, and multicast for the total, ToS and AS alone.
 */
export function compatWatches(statements: readonly Statement[]): Record<string, string> {
  const watches: Record<string, string> = {};
  const add = (file: string, condition: string, multicast: boolean): void => {
    for (const way of ['in', 'out'] as const) {
      // Multicast is out when an own address sent it, else in (CUFlow.pm `wanted`), here as there.
      const border = `direction = ${way}${multicast ? '' : ` and not (${MULTICAST})`}`;
      watches[seriesName(`cuflow_${file}.${way}`)] = condition === '' ? border : `${condition} and ${border}`;
    }
  };
  add('total', '', true);
  for (const statement of statements) {
    switch (statement.kind) {
      case 'protocol':
        add(`protocol_${statement.alias}`, `proto = ${statement.proto}`, false);
        break;
      case 'tos':
        add(`tos_${statement.label}`, tosFilter(statement), true);
        break;
      case 'asnumber': {
        const list = statement.ranges.map(formatRange).join(', ');
        watches[seriesName(`cuflow_as_${statement.label}.in`)] = `src_as in (${list}) and direction = in`;
        watches[seriesName(`cuflow_as_${statement.label}.out`)] = `dst_as in (${list}) and direction = out`;
        break;
      }
      case 'service':
        add(`service_${statement.label}_src`, portsFilter(statement.ports, 'src_port'), false);
        add(`service_${statement.label}_dst`, portsFilter(statement.ports, 'dst_port'), false);
        break;
      case 'network':
        // The inside address is the destination of what comes in.
        watches[seriesName(`cuflow_network_${statement.label}.in`)] =
          `dst_addr in (${statement.prefixes.join(', ')}) and direction = in`;
        watches[seriesName(`cuflow_network_${statement.label}.out`)] =
          `src_addr in (${statement.prefixes.join(', ')}) and direction = out`;
        break;
      case 'multicast':
        add('protocol_multicast', MULTICAST, true);
        break;
      default:
        break;
    }
  }
  return watches;
}

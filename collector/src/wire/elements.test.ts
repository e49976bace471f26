import { COLUMNS } from '@ringflow/contract';
import { elementName, findElement, scopeName } from './elements.ts';

test('elements by enterprise and number', () => {
  expect(findElement(0, 1)).toEqual({ pen: 0, id: 1, name: 'octetDeltaCount', type: 'unsigned64', unit: 'octets' });
  expect(findElement(29_305, 85)).toEqual({
    pen: 29_305,
    id: 85,
    name: 'reverseOctetTotalCount',
    type: 'unsigned64',
    unit: 'octets',
  });
  expect(elementName(6871, 16_384 + 40)).toBe('reverseFlowAttributes');
  expect(elementName(0, 40_005)).toBe('fwEvent');
  expect(elementName(4711, 7)).toBe('4711.7');
  expect([1, 5, 9].map(scopeName)).toEqual(['scope.System', 'scope.Template', 'scope.9']);
});

test('every element that fills a column is in the tables', () => {
  const unknown = COLUMNS.flatMap((column) => column.elements.filter((ref) => !findElement(ref.pen, ref.id)));
  expect(unknown).toEqual([]);
});

import { alias, bind, columnSql, compiled, integer, join, render, sql } from './sql.ts';

test('text stays text, values become placeholders, equal values share one', () => {
  const piece = sql`SELECT ${columnSql('bytes')} FROM flows WHERE ${join([sql`src_port = ${bind(53, 'UInt16')}`, sql`dst_port = ${bind(53, 'UInt16')}`, sql`service = ${bind("'; --", 'String')}`], ' AND ')} LIMIT ${integer(5)}`;
  expect(render(piece)).toEqual({
    sql: 'SELECT bytes FROM flows WHERE src_port = {q0:UInt16} AND dst_port = {q0:UInt16} AND service = {q1:String} LIMIT 5',
    params: { q0: 53, q1: "'; --" },
  });
});

test('nothing but pieces goes in', () => {
  for (const value of ['1', 1, null, undefined, { parts: ['DROP'] }])
    expect(() => sql`SELECT ${value as never}`).toThrow(TypeError);
  for (const name of ['nope', 'bytes; DROP', '', '__proto__']) expect(() => columnSql(name)).toThrow(TypeError);
  for (const name of ['A', 'a b', "a'", '1a', '']) expect(() => alias(name)).toThrow(TypeError);
  for (const value of [1.5, NaN, Infinity, 2 ** 60]) expect(() => integer(value)).toThrow(TypeError);
});

test('a compiled filter keeps its own placeholders', () => {
  expect(
    render(
      sql`SELECT 1 WHERE ${compiled({ sql: 'src_port = {f0:UInt64}', params: { f0: 1 } })} AND x = ${bind(2, 'UInt8')}`,
    ),
  ).toEqual({ sql: 'SELECT 1 WHERE src_port = {f0:UInt64} AND x = {q0:UInt8}', params: { f0: 1, q0: 2 } });
  expect(() => compiled({ sql: '{q0:UInt8}', params: { q0: 1 } })).toThrow('taken');
  expect(
    () =>
      sql`${compiled({ sql: '{f0:UInt8}', params: { f0: 1 } })} ${compiled({ sql: '{f0:UInt8}', params: { f0: 2 } })}`,
  ).toThrow('Two values');
});

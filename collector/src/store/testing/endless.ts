/** A statement of allowed functions that would run for hours in little memory. */
export const ENDLESS =
  'SELECT sum(cityHash64(i, j, k, l)) FROM (SELECT i, j, k FROM (SELECT i, j FROM (SELECT arrayJoin(range(1000000)) AS i) ARRAY JOIN range(100) AS j) ARRAY JOIN range(100) AS k) ARRAY JOIN range(100) AS l';

import { parseAsn, parseCountry } from '@ringflow/contract';

/** What one record of a database says about its networks. */
export interface GeoRecord {
  /** As columns hold it; 0 = not said. */
  country: number;
  countryName: string;
  subdivision: string;
  city: string;
  /** Degrees; NaN = not said. */
  latitude: number;
  longitude: number;
  /** 0 = not said. */
  asn: number;
  asName: string;
}

/** Longer names are cut: a database is not trusted with memory. */
const MAX_NAME = 200;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the layouts of MaxMind (country, subdivisions, city, location, autonomous_system_number; those of Enterprise
 * under traits) and of IPinfo (flat; country is a code or, beside country_code, a name; numbers as text).
 *
 * @throws RangeError when a value cannot be what its name says
 */
export function readGeoRecord(value: unknown): GeoRecord {
  const record = fieldsOf(value);
  const country = fieldsOf(record['country']);
  const location = fieldsOf(record['location']);
  const traits = fieldsOf(record['traits']);
  const subdivisions = record['subdivisions'];
  const code = textOf(record['country_code']) || textOf(record['country']) || textOf(country['iso_code']);
  const asn = asnOf(record['autonomous_system_number'] ?? traits['autonomous_system_number'] ?? record['asn']);
  return {
    country: parseCountry(code) ?? 0,
    countryName:
      nameOf(country) ||
      textOf(record['country_name']) ||
      (record['country_code'] === undefined ? '' : textOf(record['country'])),
    subdivision:
      (Array.isArray(subdivisions) ? nameOf(subdivisions[0]) : '') ||
      textOf(record['region']) ||
      textOf(record['subdivision']),
    city: nameOf(record['city']) || textOf(record['city']),
    latitude: degreesOf('latitude', 90, location['latitude'] ?? record['latitude'] ?? record['lat']),
    longitude: degreesOf('longitude', 180, location['longitude'] ?? record['longitude'] ?? record['lng']),
    asn,
    asName:
      asn === 0
        ? ''
        : textOf(record['autonomous_system_organization'] ?? traits['autonomous_system_organization']) ||
          textOf(record['as_name'] ?? record['name']),
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_NAME) : '';
}

/** The English name, or whatever there is. */
function nameOf(value: unknown): string {
  const { names, iso_code: code } = fieldsOf(value);
  const byLanguage = fieldsOf(names);
  return textOf(byLanguage['en']) || textOf(Object.values(byLanguage)[0]) || textOf(code);
}

function asnOf(value: unknown): number {
  if (typeof value === 'number') {
    if (!(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff))
      throw new RangeError(`AS number ${value} is none`);
    return value;
  }
  return typeof value === 'string' ? (parseAsn(value) ?? 0) : 0;
}

function degreesOf(name: string, limit: number, value: unknown): number {
  if (value === undefined || value === null || value === '') return NaN;
  const degrees = Number(value);
  const size = Math.abs(degrees);
  // A double of a wrong length is read as if it were next to 0, but not 0.
  if (!(size === 0 || (size > 1e-9 && size <= limit))) throw new RangeError(`${name} ${String(value)} is not on Earth`);
  return degrees;
}

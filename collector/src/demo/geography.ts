import { encodeMmdb, uint32, type MmdbNetwork, type MmdbValue } from './mmdb-writer.ts';
import { OUTSIDE } from './network.ts';

type Place = readonly [
  country: string,
  countryName: string,
  subdivision: string,
  city: string,
  lat: number,
  lon: number,
];

const PLACES = {
  amsterdam: ['NL', 'Netherlands', 'North Holland', 'Amsterdam', 52.374, 4.8897],
  ashburn: ['US', 'United States', 'Virginia', 'Ashburn', 39.0437, -77.4875],
  berlin: ['DE', 'Germany', 'Land Berlin', 'Berlin', 52.5244, 13.4105],
  cairo: ['EG', 'Egypt', 'Cairo Governorate', 'Cairo', 30.0626, 31.2497],
  chicago: ['US', 'United States', 'Illinois', 'Chicago', 41.85, -87.65],
  delhi: ['IN', 'India', 'Delhi', 'Delhi', 28.652, 77.2315],
  dublin: ['IE', 'Ireland', 'Leinster', 'Dublin', 53.3331, -6.2489],
  frankfurt: ['DE', 'Germany', 'Hesse', 'Frankfurt am Main', 50.1155, 8.6842],
  giza: ['EG', 'Egypt', 'Giza', 'Giza', 30.0094, 31.2086],
  guangzhou: ['CN', 'China', 'Guangdong', 'Guangzhou', 23.1167, 113.25],
  hamburg: ['DE', 'Germany', 'Hamburg', 'Hamburg', 53.5753, 10.0153],
  london: ['GB', 'United Kingdom', 'England', 'London', 51.5085, -0.1257],
  losAngeles: ['US', 'United States', 'California', 'Los Angeles', 34.0522, -118.2437],
  madrid: ['ES', 'Spain', 'Madrid', 'Madrid', 40.4165, -3.7026],
  moscow: ['RU', 'Russia', 'Moscow', 'Moscow', 55.7522, 37.6156],
  mumbai: ['IN', 'India', 'Maharashtra', 'Mumbai', 19.0728, 72.8826],
  osaka: ['JP', 'Japan', 'Osaka', 'Osaka', 34.6937, 135.5022],
  paris: ['FR', 'France', 'Île-de-France', 'Paris', 48.8534, 2.3488],
  lyon: ['FR', 'France', 'Auvergne-Rhône-Alpes', 'Lyon', 45.7485, 4.8467],
  rioDeJaneiro: ['BR', 'Brazil', 'Rio de Janeiro', 'Rio de Janeiro', -22.9064, -43.1822],
  sanFrancisco: ['US', 'United States', 'California', 'San Francisco', 37.7749, -122.4194],
  saoPaulo: ['BR', 'Brazil', 'São Paulo', 'São Paulo', -23.5475, -46.6361],
  seattle: ['US', 'United States', 'Washington', 'Seattle', 47.6062, -122.3321],
  shenzhen: ['CN', 'China', 'Guangdong', 'Shenzhen', 22.5455, 114.0683],
  stockholm: ['SE', 'Sweden', 'Stockholm', 'Stockholm', 59.3326, 18.0649],
  sydney: ['AU', 'Australia', 'New South Wales', 'Sydney', -33.8679, 151.2073],
  tokyo: ['JP', 'Japan', 'Tokyo', 'Tokyo', 35.6895, 139.6917],
  yekaterinburg: ['RU', 'Russia', 'Sverdlovsk Oblast', 'Yekaterinburg', 56.8519, 60.6122],
} as const satisfies Record<string, Place>;

/** By AS: its name, and where its networks are, in the order of the synthetic network: IPv4, then IPv6. */
const SYSTEMS: Readonly<Record<number, readonly [name: string, ...places: readonly (keyof typeof PLACES)[]]>> = {
  15169: ['Google LLC', 'frankfurt', 'amsterdam', 'paris', 'frankfurt'],
  13335: ['Cloudflare, Inc.', 'london', 'stockholm', 'sydney', 'london'],
  16509: ['Amazon.com, Inc.', 'ashburn', 'dublin', 'frankfurt', 'ashburn'],
  8075: ['Microsoft Corporation', 'dublin', 'amsterdam', 'seattle', 'dublin'],
  32934: ['Facebook, Inc.', 'stockholm', 'dublin', 'stockholm'],
  2906: ['Netflix Streaming Services Inc.', 'losAngeles', 'ashburn'],
  20940: ['Akamai International B.V.', 'chicago', 'madrid', 'tokyo'],
  54113: ['Fastly, Inc.', 'sanFrancisco', 'london'],
  36459: ['GitHub, Inc.', 'sanFrancisco', 'amsterdam'],
  3320: ['Deutsche Telekom AG', 'berlin', 'hamburg', 'berlin'],
  7922: ['Comcast Cable Communications, LLC', 'chicago', 'seattle'],
  3215: ['Orange S.A.', 'paris', 'lyon'],
  4134: ['Chinanet', 'guangzhou', 'shenzhen'],
  12389: ['PJSC Rostelecom', 'moscow', 'yekaterinburg'],
  28573: ['Claro NXT Telecomunicacoes Ltda', 'saoPaulo', 'rioDeJaneiro'],
  9498: ['BHARTI Airtel Ltd.', 'delhi', 'mumbai'],
  36992: ['ETISALAT MISR', 'cairo', 'giza'],
  4713: ['NTT Communications Corporation', 'tokyo', 'osaka'],
};

/**
 * A database of the synthetic network's outside, as MaxMind would write it, so that maps have something to show: the
 * real numbers and names of the AS, places as they could be.
 *
 * @param builtMs milliseconds since the epoch
 */
export function createDemoGeography(builtMs: number): Uint8Array {
  return encodeMmdb(demoNetworks(), {
    type: 'Ringflow-Demo-City-ASN',
    description: 'Places and AS of the demo network, made up',
    builtMs,
  });
}

function demoNetworks(): MmdbNetwork[] {
  return OUTSIDE.flatMap(({ as, v4, v6 }) => {
    const [name, ...places] = SYSTEMS[as] as (typeof SYSTEMS)[number];
    const networks = [
      ...v4.map(wideIpv4),
      ...(v6 === undefined ? [] : [`${v6.split(':').slice(0, 3).join(':')}::/48`]),
    ];
    return networks.map((network, index) => ({
      network,
      record: recordOf(as, name, PLACES[places[index] as keyof typeof PLACES]),
    }));
  });
}

/** The incidents come from beside the networks that are seen every day; 1.1.0.0/16 is not all of one owner. */
function wideIpv4(prefix: string): string {
  return prefix === '1.1.1' ? '1.1.1.0/24' : `${prefix.split('.').slice(0, 2).join('.')}.0.0/16`;
}

function recordOf(as: number, name: string, [code, country, subdivision, city, latitude, longitude]: Place): MmdbValue {
  return {
    autonomous_system_number: uint32(as),
    autonomous_system_organization: name,
    city: { names: { en: city } },
    country: { iso_code: code, names: { en: country } },
    location: { latitude, longitude },
    subdivisions: [{ names: { en: subdivision } }],
  };
}

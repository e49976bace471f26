import { serviceOf, servicePorts } from '@ringflow/contract';
import type { ApplicationClass } from '../conversations/config.ts';

/**
 * Classes of services by what is registered (semantics 5.5). A port alone is weak evidence of peer-to-peer traffic.
 * Names are those of the registry; `tcp/6881-6889` are ports without one.
 */
const SERVICES: Readonly<Partial<Record<ApplicationClass, string>>> = {
  web: 'http https http-alt tcp/8443 udp/80 udp/443 http-mgmt',
  dns: 'domain domain-s mdns llmnr',
  mail: 'smtp submission submissions pop3 pop3s imap imaps tcp/465',
  video: 'rtsp rtmp tcp/1935 udp/554',
  'p2p?': 'tcp/6881-6889 udp/6881-6889 tcp/4662 udp/4672 tcp/6346-6347 udp/6346-6347 tcp/51413 udp/51413',
  voice: 'sip sips h323hostcall stun stuns turn turns mgcp-gateway mgcp-callagent',
  vpn: 'isakmp ipsec-nat-t l2tp pptp openvpn tcp/1194 udp/1194 udp/51820',
  'remote-access': 'ssh telnet telnets ms-wbt-server tcp/5900-5910 login shell exec x11',
  database: 'mysql postgresql ms-sql-s ms-sql-m oracle-em1 tcp/1521 redis tcp/27017 tcp/9042 tcp/9200 tcp/50000',
  file: 'ftp ftp-data ftps ftps-data tftp microsoft-ds netbios-ssn netbios-ns netbios-dgm nfs afpovertcp rsync iscsi-target',
  management:
    'snmp snmptrap syslog ntp bootps bootpc ldap ldaps kerberos radius radius-acct tacacs bgp netconf-ssh epmap ' +
    'tcp/5985-5986 udp/2055 udp/4739 sflow zabbix-agent zabbix-trapper',
};

/** Classes of applications that exporters name, by a part of the name; the first one that fits. */
const NAMES: readonly (readonly [ApplicationClass, RegExp])[] = [
  ['p2p', /torrent|edonkey|emule|gnutella|kazaa|soulseek|limewire|direct-?connect|p2p/],
  ['video', /youtube|netflix|hulu|twitch|vimeo|dailymotion|rtsp|rtmp|video|streaming|prime-?video|disney|hls|mpeg/],
  ['voice', /\bsip\b|\brtp\b|rtcp|voip|h323|skype|webex|zoom|ms-?teams|facetime|stun\b|turn\b|audio|voice|telephony/],
  ['vpn', /vpn|ipsec|isakmp|\bike\b|wireguard|l2tp|pptp|\bgre\b|\besp\b|tor\b/],
  ['dns', /\bdns\b|mdns|llmnr|domain/],
  ['mail', /smtp|imap|pop3|\bmail|gmail|outlook|exchange|mapi/],
  ['remote-access', /\bssh\b|telnet|\brdp\b|ms-wbt|vnc|citrix|\bica\b|teamviewer|anydesk|remote/],
  ['database', /sql|oracle|postgres|mongo|redis|cassandra|database|tds\b/],
  ['file', /\bftp|tftp|\bsmb|cifs|\bnfs\b|netbios|dropbox|onedrive|sharepoint|google-drive|icloud|backup|rsync/],
  [
    'management',
    /snmp|syslog|\bntp\b|dhcp|bootp|ldap|kerberos|radius|tacacs|\bbgp\b|ospf|eigrp|\bicmp|\bping\b|netflow|ipfix|sflow|netconf|active-directory/,
  ],
  ['web', /http|\bssl\b|\btls\b|quic|\bweb|google|facebook|browsing/],
];

/** Class of an application by its name. */
export function classOfName(name: string): ApplicationClass {
  const words = name.toLowerCase().replace(/[_\s]+/g, '-');
  return NAMES.find(([, pattern]) => pattern.test(words))?.[0] ?? 'other';
}

/** Services that have a class, by number. */
export function classifiedServices(): ReadonlyMap<number, ApplicationClass> {
  const classes = new Map<number, ApplicationClass>();
  for (const [name, services] of Object.entries(SERVICES) as [ApplicationClass, string][]) {
    for (const text of services.split(' ')) for (const service of numbersOf(text)) classes.set(service, name);
  }
  return classes;
}

function numbersOf(text: string): number[] {
  const [proto, range] = text.split('/') as [string, string | undefined];
  if (range === undefined) return servicePorts(proto).map(([number, port]) => serviceOf(number, port));
  const [from, to] = range.split('-').map(Number) as [number, number | undefined];
  return Array.from({ length: (to ?? from) - from + 1 }, (_, i) => serviceOf(proto === 'tcp' ? 6 : 17, from + i));
}

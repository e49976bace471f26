/** What an address is known for. Everything that lists say is put into one of these, or into none. */
export const THREAT_CATEGORIES = [
  'bot',
  'spam',
  'worm',
  'scanner',
  'ssh',
  'telnet',
  'mail',
  'web-attack',
  'malware',
  'compromised',
  'hijacked',
  'tor',
  'proxy',
  'bogon',
] as const;
export type ThreatCategory = (typeof THREAT_CATEGORIES)[number];

/** Words of lists in lower case: FireHOL's categories, STIX's indicator types, names that Suricata's and MISP's use. */
const TERMS: Readonly<Record<string, ThreatCategory>> = {
  anonymizer: 'proxy',
  anonymizers: 'proxy',
  anonymization: 'proxy',
  attacks: 'scanner',
  abuse: 'spam',
  botcc: 'bot',
  botnet: 'bot',
  bots: 'bot',
  'brute-force': 'ssh',
  bruteforce: 'ssh',
  c2: 'bot',
  cnc: 'bot',
  'command-and-control': 'bot',
  ddosattacker: 'bot',
  drop: 'hijacked',
  exploit: 'web-attack',
  'fake-av': 'malware',
  imap: 'mail',
  'malicious-activity': 'malware',
  'malware-c2': 'bot',
  openproxy: 'proxy',
  phishing: 'malware',
  ransomware: 'malware',
  reconnaissance: 'scanner',
  scan: 'scanner',
  scanners: 'scanner',
  scanning: 'scanner',
  smtp: 'mail',
  spammer: 'spam',
  'spam-source': 'spam',
  sshbruteforce: 'ssh',
  'tor-exit': 'tor',
  torexit: 'tor',
  tornode: 'tor',
  unroutable: 'bogon',
  vpn: 'proxy',
  webattacks: 'web-attack',
};

/**
 * The category that a word stands for; the empty string when it is none that is known. Of `bot:Emotet` the part before
 * the colon counts.
 *
 * @param more words in lower case and what they stand for, before those that are known anyway
 */
export function categoryOf(word: string, more: Readonly<Record<string, ThreatCategory>>): ThreatCategory | '' {
  const whole = word.trim().toLowerCase();
  for (const term of [whole, whole.split(':')[0] as string]) {
    const category = more[term] ?? TERMS[term];
    if (category !== undefined) return category;
    if ((THREAT_CATEGORIES as readonly string[]).includes(term)) return term as ThreatCategory;
  }
  return '';
}

import { holdsPort, parseIptables, parseNft } from './firewall.ts';
import { defaultGateways, parseSockets } from './proc-net.ts';

test('nft: policy of the input hook, ports of its rules', () => {
  const text = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		tcp dport 22 accept
		udp dport { 2055, 4739, 6000-6999 } counter packets 0 bytes 0 accept
		udp dport 161 drop
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}`;
  expect(parseNft(text)).toEqual({
    state: 'closed',
    accepted: [
      [2055, 2055],
      [4739, 4739],
      [6000, 6999],
    ],
    dropped: [[161, 161]],
  });
  expect(
    parseNft(text.replace('input priority filter; policy drop', 'input priority filter; policy accept')).state,
  ).toBe('open');
  expect(
    parseNft(
      'table inet t {\n\tchain in {\n\t\ttype filter hook input priority 0; policy accept;\n\t\tiif "lo" accept\n\t\tcounter packets 5 bytes 6 reject with icmp type admin-prohibited\n\t}\n}',
    ).state,
  ).toBe('closed');
  expect(parseNft('')).toEqual({ state: 'open', accepted: [], dropped: [] });
});

test('iptables: policy of INPUT in the table filter, ports of its rules', () => {
  const text =
    '*nat\n:INPUT DROP [0:0]\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -p udp -m udp --dport 2055 -j ACCEPT\n-A INPUT -p udp -m multiport --dports 4739,6000:6343 -j ACCEPT\n-A INPUT -p udp -m udp --dport 53 -j DROP\nCOMMIT\n';
  expect(parseIptables(text)).toEqual({
    state: 'open',
    accepted: [
      [2055, 2055],
      [4739, 4739],
      [6000, 6343],
    ],
    dropped: [[53, 53]],
  });
  expect(parseIptables(text.replace(':INPUT ACCEPT', ':INPUT DROP')).state).toBe('closed');
  expect(
    parseIptables(
      text.replace(
        '--dport 53 -j DROP\n',
        '--dport 53 -j DROP\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n',
      ),
    ).state,
  ).toBe('closed');
  expect([holdsPort([[6000, 6343]], 6343), holdsPort([[6000, 6343]], 6344)]).toEqual([true, false]);
});

test('/proc/net: sockets that listen, default gateways', () => {
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
  const line = (state: string): string =>
    ` 1024: 00000000:0807 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0\n`;
  expect(parseSockets(header + line('07') + line('01'), 'udp')).toEqual([{ port: 2055, inode: 4711 }]);
  expect(parseSockets(header + line('07') + line('0A'), 'tcp')).toEqual([{ port: 2055, inode: 4711 }]);
  expect(
    defaultGateways(
      'Iface\tDestination\tGateway\tFlags\neth0\t00000000\t010011AC\t0003\neth0\t000011AC\t00000000\t0001\n',
    ),
  ).toEqual(['172.17.0.1']);
});

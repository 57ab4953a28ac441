import { expect, test } from 'vitest'
import { readOptions } from './options.ts'
import { UP_OPTIONS } from './settings.ts'
import { configOf, planUp } from './up-config.ts'

const COMMAND = { name: 'holdfast up', summary: '', options: UP_OPTIONS }

/** What `up` would say to this command line; '' if it is good. */
function complaint(line: string): string {
  const given = readOptions(COMMAND, line === '' ? [] : line.split(' '))
  if (!given.ok) return given.error
  const plan = planUp(given.value)
  return plan.ok ? '' : plan.error
}

function config(line: string) {
  const given = readOptions(COMMAND, line === '' ? [] : line.split(' '))
  if (!given.ok) throw new Error(given.error)
  const plan = planUp(given.value)
  if (!plan.ok) throw new Error(plan.error)
  return configOf(plan.value, { set: '0123456789abcdef', secret: '' }, '/data')
}

test('the defaults are those of the interface', () => {
  const { sip, nextHop, admin, replicas, restart } = config('')
  expect(sip).toEqual({ host: '127.0.0.10', port: 5060 })
  expect(nextHop).toBe(null)
  expect(admin).toEqual({ host: '127.0.0.1', port: 8060 })
  expect(replicas.map(({ admin: own, peer }) => [own.port, peer.port])).toEqual([
    [8061, 8161],
    [8062, 8162],
    [8063, 8163],
  ])
  expect(restart).toBe(5)
})

test.each([
  ['--next-hop 127.0.0.1:5070', { host: '127.0.0.1', port: 5070, transport: null }],
  ['--next-hop=127.0.0.1:5070;transport=tcp', { host: '127.0.0.1', port: 5070, transport: 'tcp' }],
  ['--next-hop localhost:5070;transport=UDP', { host: '127.0.0.1', port: 5070, transport: 'udp' }],
  ['--next-hop [::1]:5070', { host: '::1', port: 5070, transport: null }],
  ['--next-hop SIP.Example.com', { host: 'sip.example.com', port: 0, transport: null }],
  ['--next-hop pbx:5080;transport=tcp', { host: 'pbx', port: 5080, transport: 'tcp' }],
])('%s', (line, nextHop) => {
  expect(config(line).nextHop).toEqual(nextHop)
})

test('off loopback with an access list', () => {
  const line = '--sip 192.0.2.1:5060 --allow 192.0.2.0/24,2001:db8::/32'
  expect(config(line)).toMatchObject({ sip: { host: '192.0.2.1' }, allow: ['192.0.2.0/24', '2001:db8::/32'] })
})

test('calls may become so old', () => {
  expect(config('--max-call 3600').maxCall).toBe(3_600)
  expect(complaint('--max-call 0')).toBe('')
})

test('IPv6 and never', () => {
  expect(config('--sip [::1]:5060 --restart never')).toMatchObject({ sip: { host: '::1', port: 5060 }, restart: null })
})

test.each([
  ['--sipp 127.0.0.1:5060', 'unknown option --sipp; did you mean --sip?'],
  ['--replcias 3', 'unknown option --replcias; did you mean --replicas?'],
  ['-x', 'unknown option -x'],
  ['now', '"now" is not an option'],
  ['--sip', '--sip needs a value: --sip HOST:PORT'],
  ['--sip --json', '--sip needs a value: --sip HOST:PORT'],
  ['--json=yes', '--json takes no value'],
  ['--sip 127.0.0.1:5060 --sip 127.0.0.2:5060', '--sip is given twice'],
  ['--replicas 0', 'give a number from 1 to 7'],
  ['--replicas 8', 'give a number from 1 to 7'],
  ['--replicas three', 'give a number from 1 to 7'],
  ['--sip 127.0.0.10', 'is not HOST:PORT'],
  ['--sip 127.0.0.10:70000', 'a port lies in 1..65535'],
  ['--sip ::1:5060', 'is not HOST:PORT'],
  ['--sip [::1]', 'is not HOST:PORT'],
  ['--sip sip.example.com:5060', 'is not an IP address'],
  ['--sip 192.0.2.1:5060', 'it would be an open relay. Give --allow CIDR[,CIDR]'],
  ['--sip [2001:db8::1]:5060', 'it would be an open relay'],
  ['--sip 0.0.0.0:5060 --allow 192.0.2.0/24', 'no address that a phone can answer to'],
  ['--sip [::]:5060 --allow 192.0.2.0/24', 'no address that a phone can answer to'],
  ['--next-hop pbx', 'is not HOST:PORT'],
  ['--next-hop sip.example.com:0', 'a port lies in 1..65535'],
  ['--app a.ts,', '--app takes paths of modules'],
  ['--dns 127.0.0.1', '--dns "127.0.0.1" is not HOST:PORT'],
  ['--dns dns.example.com:53', 'give the address itself'],
  ['--bounds calls=0', '--bounds calls: 0 should be a whole number from 1 to 1000000'],
  ['--bounds calls=5,calls=6', 'is not NAME=NUMBER, once for each name'],
  ['--bounds speed=5', '--bounds unknown "speed"; known are calls, in, out, route, rate'],
  ['--allow 192.0.2.0/24,office', '--allow "office" is not a block of addresses'],
  ['--allow 192.0.2.1/24', 'has bits set after the first 24'],
  ['--admin 0.0.0.0:8060', 'off loopback: an up of one command line stays on its machine'],
  ['--peer [2001:db8::1]:8160', 'off loopback: an up of one command line stays on its machine'],
  ['--admin 127.0.0.1:65534', 'ports up to 65537 would be used'],
  ['--admin 127.0.0.1:8158', '127.0.0.1:8161 is both the peer address of replica 1 and the admin address of replica 3'],
  ['--sip 127.0.0.1:8060', '127.0.0.1:8060 is both the SIP address and the admin address of up'],
  ['--next-hop 127.0.0.1', 'is not HOST:PORT'],
  ['--next-hop 127.0.0.1:5070;transport=sctp', 'only ;transport= may stand, with udp, tcp, tls, ws, wss'],
  [
    '--next-hop 127.0.0.1:5070;transport=tls',
    "by which the set can't be called back: add --listen HOST:PORT;transport=tls",
  ],
  ['--sip [fe80::1%eth0]:5060', 'a zone (%) means something on this machine only'],
  ['--listen 127.0.0.1:5061;transport=tls', '127.0.0.1:5061 is for tls, which needs a certificate: give --tls-cert'],
  ['--listen 127.0.0.10:5060;transport=tls', "127.0.0.10:5060 can't be for both tcp and tls"],
  ['--listen 127.0.0.10:5060;transport=udp', 'is named twice for udp'],
  ['--listen 192.0.2.1:5060', 'it would be an open relay'],
  ['--tls-cert a.pem', 'go together: give both'],
  ['--tls-ca a.pem', '--tls-ca without a certificate'],
  ['--tls-cert a.pem --tls-key a.key', 'no address to show it at: add --listen'],
  ['--listen 127.0.0.1:8060', '127.0.0.1:8060 is both the SIP address and the admin address of up'],
  ['--durability memory --data /tmp/set', 'keeps nothing on disk: leave one of them out'],
  ['--durability disk', 'give wal or memory'],
  ['--max-call 1e9', 'give seconds, at most 31536000, or 0 for never'],
  ['--max-call soon', 'give seconds'],
  ['--restart soon', 'give seconds (5, 0.5, at most 86400) or never'],
  ['--restart -1', 'give seconds'],
  ['--config /nowhere/set.json', 'ENOENT'],
])('%s: %s', (line, said) => {
  expect(complaint(line)).toContain(said)
})

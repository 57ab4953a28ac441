import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { seconds } from '../base/instant.ts'
import { callSettings } from './call-settings.ts'
import type { Listener } from '../proxy/settings.ts'
import { parseConfig, printConfig, reachTroubles } from './config.ts'
import { boundBy } from './sip-addresses.ts'
import { readOptions } from './options.ts'
import { UP_OPTIONS } from './settings.ts'
import { configOf, planUp } from './up-config.ts'

const COMMAND = { name: 'holdfast up', summary: '', options: UP_OPTIONS }

function planned(args: readonly string[]) {
  const given = readOptions(COMMAND, args)
  if (!given.ok) throw new Error(given.error)
  const plan = planUp(given.value)
  if (!plan.ok) throw new Error(plan.error)
  return configOf(plan.value, { set: '0123456789abcdef', secret: '5e'.repeat(32) }, '/data')
}

test('what is printed is read back', () => {
  const config = planned([
    '--next-hop',
    '[::1]:5070;transport=tcp',
    '--replicas',
    '5',
    '--restart',
    'never',
    '--allow',
    '10.0.0.0/8',
    '--bounds',
    'calls=7,rate=5',
    '--sip',
    '127.0.0.10:5061;transport=tls',
    '--listen',
    '[::1]:5062,127.0.0.10:8080;transport=tcp',
    '--tls-cert',
    '/c.pem',
    '--tls-key',
    '/c.key',
    '--tls-ca',
    '/ca.pem',
    '--dns',
    '127.0.0.1:53,[::1]:53',
  ])
  expect(config.tls).toMatchObject({ minVersion: 'TLSv1.2', clients: 'ask', ca: '/ca.pem' })
  expect(parseConfig(printConfig(config), '/elsewhere')).toEqual({ ok: true, value: config })
})

test('redirections are followed where there is a next hop that gives them', () => {
  const config = planned(['--next-hop', '127.0.0.1:5070', '--follow-redirects'])
  expect(config.followRedirects).toBe(true)
  expect(parseConfig(printConfig(config), '/elsewhere')).toEqual({ ok: true, value: config })
  expect(() => planned(['--follow-redirects'])).toThrow('give --next-hop HOST:PORT, or leave --follow-redirects out')
})

test('what ends calls by itself is told to the call room', () => {
  expect(callSettings(planned([])).lifetime).toBeUndefined()
  const config = { ...planned(['--max-call', '3600']), probe: { every: 60, grace: 0 }, sessionTimers: true }
  expect(parseConfig(printConfig(config), '/elsewhere')).toEqual({ ok: true, value: config })
  expect(callSettings(config).lifetime).toEqual({
    maxCall: seconds(3_600),
    probe: { every: seconds(60), grace: 0 },
    sessions: true,
  })
  const one = JSON.parse(printConfig({ ...config, maxCall: 0 })) as object
  expect(parseConfig(JSON.stringify({ ...one, probe: { every: 90 } }), '/')).toMatchObject({
    value: { probe: { every: 90, grace: 60 } },
  })
})

test('several next hops are one text, which an option replaces whole', () => {
  const config = planned(['--next-hop', '127.0.0.1:5070,127.0.0.1:5071|127.0.0.1:5072;transport=tcp'])
  expect(config.nextHop?.port).toBe(5070)
  expect(config.nextHops?.map((group) => group.length)).toEqual([2, 1])
  expect(parseConfig(printConfig(config), '/elsewhere')).toEqual({ ok: true, value: config })
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
  const path = join(folder, 'set.json')
  writeFileSync(path, printConfig(config))
  const [same, other] = [planned(['--config', path]), planned(['--config', path, '--next-hop', '127.0.0.1:5073'])]
  rmSync(folder, { recursive: true })
  expect(same.nextHops).toEqual(config.nextHops)
  expect([other.nextHop?.port, other.nextHops]).toEqual([5073, undefined])
})

test('applications are modules with bounds, which a file says beside their paths', () => {
  const config = planned(['--app', '/srv/prepaid.ts,/srv/screening.ts'])
  expect(config.applications).toMatchObject([
    { name: null, module: '/srv/prepaid.ts', memoryMb: 128, timeLimitMs: 5_000 },
    { module: '/srv/screening.ts' },
  ])
  expect(parseConfig(printConfig(config), '/elsewhere')).toEqual({ ok: true, value: config })
  const named = { name: 'a', module: './a.ts', memoryMb: 64, timeLimitMs: 200 }
  const read = parseConfig(JSON.stringify({ ...good, applications: [named] }), '/srv')
  expect(read).toMatchObject({ value: { applications: [{ ...named, module: '/srv/a.ts' }] } })
})

test('a router is a module, or a table of applications by method', () => {
  const links = ['screening', { application: 'prepaid', region: 'originating', subscriber: 'from' }]
  for (const router of ['/srv/router.ts', { INVITE: links, '*': [] }]) {
    const read = parseConfig(JSON.stringify({ ...good, applications: [{ module: '/srv/a.ts' }], router }), '/srv')
    if (!read.ok) throw new Error(read.error)
    expect(JSON.parse(printConfig(read.value))).toMatchObject({ router })
  }
  expect(planned(['--app', '/srv/a.ts', '--router', '/srv/r.ts']).router).toEqual({
    kind: 'module',
    module: '/srv/r.ts',
  })
})

test('a next hop by name is printed as it was given', () => {
  for (const hop of ['sip.example.com', 'pbx:5080;transport=tcp']) {
    const config = planned(['--next-hop', hop])
    expect(printConfig(config)).toContain(`"nextHop": "${hop}"`)
    expect(parseConfig(printConfig(config), '/elsewhere')).toEqual({ ok: true, value: config })
  }
})

test('options win over the file, and relative data folders lie beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
  const path = join(folder, 'set.json')
  const text = printConfig(planned(['--restart', '7', '--next-hop', '127.0.0.1:5070'])).replaceAll('/data/', 'data/')
  writeFileSync(path, text)
  const config = planned(['--config', path, '--next-hop', '127.0.0.1:5071'])
  rmSync(folder, { recursive: true })
  expect(config.nextHop?.port).toBe(5071)
  expect(config.restart).toBe(7)
  expect(config.set).toBe('0123456789abcdef')
  expect(config.replicas[0]?.data).toBe(join(folder, 'data/replica-1'))
})

const good = JSON.parse(printConfig(planned([]))) as Record<string, unknown>
const pair = { certificates: [{ certificate: 'a.pem', key: 'a.key' }] }
const [one, two, three] = good['replicas'] as [object, object, object]

test.each([
  [{ set: 'mine' }, 'set: "mine" should be 16 lower-case hexadecimal digits'],
  [{ secret: 'pass' }, 'secret: it should be 64 lower-case hexadecimal digits'],
  [{ sip: undefined }, 'sip: it is missing should be "HOST:PORT"'],
  [{ admin: '10.0.0.1:8060' }, 'the admin address 10.0.0.1:8060 is off loopback, and whoever reaches it'],
  [{ replicas: [{ ...one, admin: '10.0.0.1:8061' }] }, 'the admin address 10.0.0.1:8061 is off loopback'],
  [{ adminToken: 'short' }, 'adminToken: it should be 32 to 256 letters'],
  [{ adminTokenFile: 7 }, 'adminTokenFile: 7 should be the path of a file'],
  [{ adminToken: 't'.repeat(32), adminTokenFile: 'a' }, 'adminToken and adminTokenFile: give one of them'],
  [{ bounds: { calls: 1.5 } }, 'bounds.calls: 1.5 should be a whole number from 1 to 1000000'],
  [{ applications: [] }, 'applications: [] should be a list of 1 to 16, as [{"module": "./prepaid.ts"}]'],
  [{ applications: [{ name: 'a' }] }, 'applications[0].module: it is missing should be the path of a module'],
  [{ applications: [{ module: 'a.ts', memory: 5 }] }, 'applications[0]: unknown "memory"; known are name, module'],
  [{ applications: [{ module: 'a.ts', memoryMb: 8 }] }, 'memoryMb: 8 should be whole megabytes from 16 to 4096'],
  [{ applications: [{ module: 'a.ts', timeLimitMs: 6e3 }] }, 'timeLimitMs: 6000 should be whole milliseconds from 50'],
  [{ router: 5 }, 'router: 5 should be the path of a module, as "./router.ts", or a table'],
  [{ router: { invite: [] } }, 'router.invite: "invite" should be a method in capital letters'],
  [{ router: { INVITE: 'a' } }, 'router.INVITE: "a" should be a list of at most 16 applications'],
  [
    { router: { INVITE: [{ application: 'a', region: 'here' }] } },
    'router.INVITE[0].region: "here" should be "originating"',
  ],
  [{ dns: '127.0.0.1:53' }, 'dns: "127.0.0.1:53" should be a list'],
  [{ bounds: 5 }, 'bounds: 5 should be an object'],
  [{ allow: [] }, 'allow: [] should be a list of blocks of addresses'],
  [{ allow: ['192.0.2.0/24', 'office'] }, 'allow[1]: "office" is not a block of addresses'],
  [{ listen: '127.0.0.1:5061' }, 'listen: "127.0.0.1:5061" should be a list of'],
  [{ listen: ['there'] }, 'listen[0]: "there" is not HOST:PORT'],
  [{ tls: { certificates: [] } }, 'tls.certificates: [] should be a list of {"certificate": FILE, "key": FILE}'],
  [{ tls: { certificates: [{ certificate: 'a.pem' }] } }, 'tls.certificates[0].key: it is missing should be the path'],
  [{ tls: { ...pair, minVersion: 'TLSv1' } }, 'tls.minVersion: "TLSv1" should be "TLSv1.2" or "TLSv1.3"'],
  [{ tls: { ...pair, clients: 'yes' } }, 'tls.clients: "yes" should be "ignore", "ask" or "require"'],
  [{ tls: { ...pair, names: { 'a.example': 'b' } } }, 'tls.names.a.example: "a.example" should be an IP address'],
  [{ tls: { ...pair, names: { '127.0.0.1': '' } } }, 'tls.names.127.0.0.1: "" should be the name in the certificate'],
  [{ followRedirects: 'yes' }, 'followRedirects: "yes" should be true or false'],
  [{ nextHop: 'there' }, 'nextHop: "there" is not HOST:PORT'],
  [{ durability: 'disk' }, 'durability: "disk" should be "wal" or "memory"'],
  [{ durability: 'memory' }, 'replicas[0].data: "/data/replica-1" should be left out'],
  [{ maxCall: -1 }, 'maxCall: -1 should be whole seconds, from 0 to 31536000, or 0 for never'],
  [{ probe: {} }, 'probe.every: it is missing should be whole seconds, from 32 to 86400'],
  [{ probe: { every: 60, grace: 0.5 } }, 'probe.grace: 0.5 should be whole seconds, from 0 to 86400'],
  [{ probe: { interval: 60 } }, 'probe: unknown "interval"; known are every, grace'],
  [{ sessionTimers: 'yes' }, 'sessionTimers: "yes" should be true or false'],
  [{ restart: 'soon' }, 'restart: "soon" should be seconds, or "never"'],
  [{ compaction: { every: 1 } }, 'compaction.every: 1 should be a whole number from 100000 to 536870912, of bytes'],
  [{ events: { keep: -1 } }, 'events.keep: -1 should be a whole number from 0 to 1000000, of events'],
  [{ events: { kept: 5 } }, 'events: unknown "kept"; known are keep'],
  [{ compaction: { kept: 1e99 } }, 'compaction.kept: 1e+99 should be a whole number from 100 to 1000000, of entries'],
  [{ formats: { most: 3 } }, 'formats.most: 3 should be a format that this release reads: 1 to 2'],
  [{ formats: { least: 1 } }, 'formats: unknown "least"; known are most'],
  [{ speed: 1 }, 'the file: unknown "speed"'],
  [{ replicas: [] }, 'replicas: [] should be an array of 1 to 7 replicas'],
  [{ replicas: [one, three, two] }, 'replicas[2].id: 2 should be more than 3: ids rise'],
  [{ replicas: [one, { ...two, data: '' }, three] }, 'replicas[1].data: "" should be the path of a folder'],
  [{ replicas: [one, { ...two, peer: '127.0.0.1:8161' }, three] }, '127.0.0.1:8161 is both'],
  [{ replicas: [one, two, { ...three, data: '/data/replica-1/' }] }, 'replicas 1 and 3 have the same data folder'],
])('%o: %s', (change, said) => {
  const result = parseConfig(JSON.stringify({ ...good, ...change }), '/')
  expect(result.ok ? '' : result.error).toContain(said)
})

test('replicas on other machines: their peer addresses may be off loopback', () => {
  const text = JSON.stringify({ ...good, replicas: [one, { ...two, peer: '192.0.2.2:8162' }, three] })
  expect(parseConfig(text, '/')).toMatchObject({ ok: true })
})

test('a SIP address off loopback in the file needs an access list there, or on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
  const path = join(folder, 'set.json')
  writeFileSync(path, JSON.stringify({ ...good, sip: '192.0.2.1:5060' }))
  expect(() => planned(['--config', path])).toThrow('it would be an open relay')
  expect(planned(['--config', path, '--allow', '192.0.2.0/24']).allow).toEqual(['192.0.2.0/24'])
  rmSync(folder, { recursive: true })
})

test('what is not JSON is said to be not JSON', () => {
  expect(parseConfig('{', '/')).toMatchObject({ ok: false, error: expect.stringContaining('it is not JSON') })
})

const secret = good['secret'] as string
const lettered = secret.replace(/^./, 'f')

test.each([
  JSON.stringify([good]),
  JSON.stringify(JSON.stringify(good)),
  JSON.stringify({ ...good, set: secret }),
  JSON.stringify({ ...good, nextHop: secret.slice(1) }),
  JSON.stringify({ ...good, [secret]: 1 }),
  JSON.stringify(good).replace(`"${secret}"`, lettered),
])('a complaint does not show the secret, wherever it stands: %#', (text) => {
  const result = parseConfig(text, '/')
  const said = result.ok ? '' : result.error
  expect(said).toContain('(not shown)')
  expect(said).not.toContain(secret.slice(1, 9))
})

describe('a set with a name, whose replicas have addresses of their own (decision 0049)', () => {
  const shared = JSON.parse(printConfig(planned([]))) as { readonly replicas: readonly object[] }
  const OWN = ['127.0.0.21', '127.0.0.22', '127.0.0.23']
  const named = (sips: readonly (string | undefined)[], change: object = {}): string => {
    const replicas = shared.replicas.map((replica, i) => ({ ...replica, sip: sips[i] }))
    return JSON.stringify({ ...shared, sip: 'Sip.example.com:5060', replicas, ...change })
  }

  test('is read, printed and read again', () => {
    const config = parseConfig(named(OWN), '/data')
    if (!config.ok) throw new Error(config.error)
    expect(parseConfig(printConfig(config.value), '/elsewhere')).toEqual(config)
    expect(config.value.sip).toEqual({ host: 'sip.example.com', port: 5060 })
    expect(config.value.replicas.map(({ sip }) => sip)).toEqual(OWN)
  })

  test('each replica listens at its own address, and all know of all', () => {
    const config = parseConfig(named(OWN, { listen: ['127.0.0.30:5070;transport=udp'] }), '/data')
    if (!config.ok) throw new Error(config.error)
    const texts = (listeners: readonly Listener[] = []): readonly string[] =>
      listeners.map(({ transport, host, port }) => `${transport} ${host}:${port}`)
    const [, second] = config.value.replicas
    expect(texts(boundBy(config.value, second ?? {}))).toEqual([
      'udp 127.0.0.22:5060',
      'tcp 127.0.0.22:5060',
      'udp 127.0.0.30:5070',
    ])
    const { host, listeners, replicas } = callSettings(config.value).sip
    expect([host, ...texts(listeners)]).toEqual([
      'sip.example.com',
      'udp sip.example.com:5060',
      'tcp sip.example.com:5060',
      'udp 127.0.0.30:5070',
    ])
    expect(texts(replicas)).toEqual(OWN.flatMap((own) => [`udp ${own}:5060`, `tcp ${own}:5060`, 'udp 127.0.0.30:5070']))
  })

  test.each([
    [
      named([OWN[0], undefined, OWN[2]]),
      'replicas[1].sip: it is missing: the IP address that it listens at, since the set has a name',
    ],
    [named([OWN[0], OWN[1], OWN[0]]), 'replicas[2].sip: "127.0.0.21" is that of replica 1: give each its own'],
    [named([OWN[0], '::1', OWN[2]]), 'replicas[1].sip: "::1" should be of the family of "127.0.0.21"'],
    [named(['sip1.example.com', OWN[1], OWN[2]]), 'replicas[0].sip: "sip1.example.com" should be an IP address'],
    [named(OWN, { sip: 'sip.example.com' }), 'a name wants the port that its replicas listen to: sip.example.com:5060'],
    [named(OWN, { sip: '127.0.0.10:5060' }), 'replicas[0].sip: it should be left out'],
    [named(OWN, { admin: '127.0.0.22:5060' }), '127.0.0.22:5060 is both the SIP address and the admin address of up'],
  ])('%#: what is wrong is said with what would be right', (text, said) => {
    const config = parseConfig(text, '/data')
    expect(config.ok ? 'right' : config.error).toContain(said)
  })

  test('off loopback it wants to be told who may use it, as any address', () => {
    const config = parseConfig(named(['192.0.2.1', '192.0.2.2', '192.0.2.3']), '/data')
    expect(config.ok && reachTroubles(config.value)[0]).toContain('the SIP address 192.0.2.1:5060 is off loopback')
  })
})

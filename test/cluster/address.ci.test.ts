// One SIP address while machines die and calls run: moved by keepalived (docs/deploy/keepalived.conf), and on all machines at once by BIRD
// (docs/deploy/bird.conf); and one name, by which DNS leads to an address of each (docs/deploy/srv.zone). Three machines and a phone's in network namespaces; the admin addresses are off loopback here, with a token.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { must } from '../../src/base/assert.ts'
import { expectAllCalls } from './expectations.ts'
import { writeConfig } from './machines.ts'
import { Network, run } from './network.ts'
import { until } from './poll.ts'
import type { Program } from './programs.ts'
import { root } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import type { Scene } from './scene.ts'
import { missingTools, startCallee, startCaller } from './sipp.ts'

const isThere = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0
const lacking = ['ip', 'keepalived', 'bird', 'curl'].filter((tool) => !isThere(tool))
const missing = missingTools() ?? (lacking.length > 0 ? `${lacking.join(', ')} missing` : null)
const why = missing ?? (process.getuid?.() === 0 ? null : 'network namespaces need root')
if (why !== null && process.env['CI'] !== undefined) throw new Error(why)
if (why !== null) console.warn(`skipped, an address that moves: ${why}`)

const SHARED = '10.88.0.10'
const IDS = [1, 2, 3]
const CALLS = 100
const host = (id: number): string => `10.88.0.${id}`
const admin = (id: number): string => `${host(id)}:${8_060 + id}`

interface World {
  readonly scene: Scene
  readonly network: Network
  /** What runs on each machine, to be killed with it. */
  readonly machines: Map<number, Program[]>
  /** Ends with the test. */
  start(machine: string, command: string, ...args: readonly string[]): Program
  /** From the phone's machine. */
  curl(...args: readonly string[]): { readonly status: number | null; readonly stdout: string }
  /** An example of docs/deploy with these words in place of its own; its path. */
  example(name: string, id: number, words: readonly (readonly [string, string])[]): string
}

/** Three machines with the shared address on their loopbacks, or with a domain name for all, and a replica on each, all serving; and a
 * phone's, as `connect` makes it. */
async function withMachines(
  name: string,
  slot: number,
  phone: { readonly callee: string; readonly setName?: string; connect(network: Network): void },
  work: (world: World) => Promise<void>,
): Promise<void> {
  await inScene(slot, async (scene) => {
    const network = new Network(name)
    const started: Program[] = []
    try {
      for (const id of IDS) {
        network.add(`m${id}`, host(id))
        if (phone.setName === undefined) network.share(`m${id}`, SHARED)
      }
      phone.connect(network)
      const config = writeSet(scene, phone)
      const start: World['start'] = (machine, command, ...args) => {
        const program = network.start(machine, command, ...args)
        started.push(program)
        return program
      }
      const machines = new Map<number, Program[]>()
      for (const id of IDS) {
        const args = ['start', '--config', config, '--replica', String(id), '--log-level', 'warn']
        machines.set(id, [start(`m${id}`, process.execPath, join(root, 'src/main.ts'), ...args)])
      }
      const curl: World['curl'] = (...args) =>
        spawnSync('ip', ['netns', 'exec', network.of('phone'), 'curl', '-s', '-m', '1', ...args], { encoding: 'utf8' })
      const example: World['example'] = (file, id, words) => {
        let text = readFileSync(join(root, 'docs/deploy', file), 'utf8')
        for (const [was, is] of words) text = text.replaceAll(was, is)
        const path = join(scene.folder, `${id}-${file}`)
        writeFileSync(path, text)
        return path
      }
      const isUp = (id: number): boolean => curl('-f', `http://${admin(id)}/health`).status === 0
      await until('all serve', 40_000, () => (IDS.every(isUp) ? true : null))
      await work({ scene, network, machines, start, curl, example })
    } catch (error) {
      const told = started.map((program) => program.stderr().slice(-1_500)).join('\n---\n')
      throw new Error(`${(error as Error).message}\n${told}`, { cause: error })
    } finally {
      for (const program of started) program.signal('SIGKILL')
      await Promise.all(started.map(({ exit }) => exit))
      network.destroy()
    }
  })
}

/** The config file of a set on those machines, with an admin token. */
function writeSet(scene: Scene, { callee, setName }: { readonly callee: string; readonly setName?: string }): string {
  const [config, token] = [join(scene.folder, 'set.json'), join(scene.folder, 'token')]
  writeFileSync(token, 'a-token-of-the-operators-of-this-set\n', { mode: 0o600 })
  writeConfig(config, join(scene.folder, 'data'), { ...scene.place, sip: '127.0.0.10:5060' })
  const replicas = IDS.map((id) => ({
    id,
    ...{ admin: admin(id), peer: `${host(id)}:8160`, data: join(scene.folder, `replica-${id}`) },
    ...(setName === undefined ? {} : { sip: host(id) }),
  }))
  const own = JSON.parse(readFileSync(config, 'utf8')) as object
  const [sip, nextHop] = [`${setName ?? SHARED}:5060`, `${callee}:${setName === undefined ? 5070 : 5060}`]
  const more = { sip, nextHop, allow: ['10.88.0.0/15'], replicas }
  writeFileSync(config, JSON.stringify({ ...own, ...more, adminTokenFile: token }), { mode: 0o600 })
  return config
}

/** Half of the calls have begun. */
async function calls(
  { scene, network }: World,
  { caller: from, callee: to }: Readonly<Record<'caller' | 'callee', string>>,
) {
  const at = { network: network.of('phone'), holdMs: 5_000 }
  const callee = await startCallee({
    ...{ ...at, transport: 'u1', local: `${to}:5070`, folder: join(scene.folder, 'callee') },
    scenario: phones.routed.callee,
  })
  scene.adoptPhone(callee)
  const caller = await startCaller({
    ...{ ...at, transport: 'un', local: `${from}:5060`, folder: join(scene.folder, 'caller') },
    ...{ scenario: phones.routed.caller, remote: `${SHARED}:5060`, calls: CALLS, rate: 25 },
  })
  scene.adoptPhone(caller)
  await caller.reaches('half have begun', 20_000, ({ created }) => created >= CALLS / 2)
  return { caller, callee }
}

/** Its cable is pulled, and all that runs on it killed. */
function die({ network, machines }: World, id: number): void {
  network.cut(`m${id}`)
  for (const program of must(machines.get(id), 'a machine')) program.signal('SIGKILL')
}

test.skipIf(why !== null)('keepalived: the machine that has the address dies, and no call is lost', async () => {
  const phone = { caller: '10.88.0.100', callee: '10.88.0.200' }
  const connect = (network: Network): void => {
    network.add('phone', phone.caller)
    run('ip', '-n', network.of('phone'), 'addr', 'add', `${phone.callee}/24`, 'dev', 'e0')
  }
  await withMachines('vrrp', 156, { ...phone, connect }, async (world) => {
    const { scene, network, machines, start, curl, example } = world
    for (const id of IDS) {
      const file = example('keepalived.conf', id, [
        ['192.0.2.10', SHARED],
        ['eth0', 'e0'],
        ['127.0.0.1:8061', admin(id)],
        ['priority 103', `priority ${104 - id}`],
      ])
      const [pid = '', other = ''] = [1, 2].map((n) => join(scene.folder, `keepalived-${id}.${n}.pid`))
      const program = start(`m${id}`, 'keepalived', '-n', '-l', '-P', '-f', file, '-p', pid, '-r', other)
      machines.get(id)?.push(program)
    }
    const withAddress = (): number | null => IDS.find((id) => network.has(`m${id}`, SHARED)) ?? null
    const first = await until('one has the address', 20_000, withAddress)
    // Nobody without the token is told anything.
    expect(curl(`http://${admin(first)}/status`).stdout).toContain('wants the admin token')
    const load = await calls(world, phone)
    const began = performance.now()
    die(world, first)
    const others = IDS.filter((id) => id !== first)
    const next = await until('another has it', 10_000, () => others.find((id) => network.has(`m${id}`, SHARED)) ?? null)
    console.log(`machine ${first} died, ${next} has its address ${Math.round(performance.now() - began)} ms later`)
    await expectAllCalls(load, CALLS, { deadlineMs: 60_000, retransmissions: 'allowed' })
  })
})

/** Of the router: it shares flows out among the machines that tell it of the address. */
const ROUTER = `
router id 10.88.0.254;
protocol device {}
protocol bfd { interface "e0" { interval 100 ms; multiplier 3; }; }
protocol kernel { merge paths yes; ipv4 { export all; }; }
protocol ospf v2 { ecmp yes; ipv4 {}; area 0 { interface "e0" { hello 1; dead 4; bfd yes; priority 10; }; }; }
`

test.skipIf(why !== null)(
  'anycast by OSPF: one of three machines that have the address dies, and no call is lost',
  async () => {
    const phone = { caller: '10.89.0.100', callee: '10.89.0.200' }
    const connect = (network: Network): void => {
      network.add('router', '10.88.0.254')
      run('ip', 'netns', 'add', network.of('phone'))
      network.adopt('phone')
      network.connect('router', '10.89.0.254', 'phone', phone.caller)
      run('ip', '-n', network.of('phone'), 'addr', 'add', `${phone.callee}/24`, 'dev', 'router')
      const settings = ['net.ipv4.ip_forward=1', 'net.ipv4.fib_multipath_hash_policy=1']
      run('ip', 'netns', 'exec', network.of('router'), 'sysctl', '-qw', ...settings)
      network.route('phone', '10.89.0.254')
      for (const id of IDS) network.route(`m${id}`, '10.88.0.254')
    }
    await withMachines('ospf', 157, { ...phone, connect }, async (world) => {
      const { scene, network, machines, start, example } = world
      const bird = (machine: string, file: string): Program =>
        start(
          machine,
          'bird',
          '-f',
          '-c',
          file,
          '-s',
          join(scene.folder, `${machine}.ctl`),
          '-P',
          join(scene.folder, `${machine}.pid`),
        )
      const router = join(scene.folder, 'router.conf')
      writeFileSync(router, ROUTER)
      bird('router', router)
      for (const id of IDS) {
        const words = [
          ['192.0.2.10', SHARED],
          ['192.0.2.1', host(id)],
          ['eth0', 'e0'],
        ] as const
        machines.get(id)?.push(bird(`m${id}`, example('bird.conf', id, words)))
      }
      const ways = (): number =>
        run('ip', '-n', network.of('router'), 'route', 'show', SHARED).match(/via/g)?.length ?? 0
      await until('the router has three ways', 30_000, () => (ways() === 3 ? true : null))
      const load = await calls(world, phone)
      const began = performance.now()
      die(world, 2)
      await until('the router has two ways', 10_000, () => (ways() === 2 ? true : null))
      console.log(`machine 2 died, and gets nothing any more ${Math.round(performance.now() - began)} ms later`)
      await expectAllCalls(load, CALLS, { deadlineMs: 60_000, retransmissions: 'allowed' })
    })
  },
)

test.skipIf(why !== null)(
  'DNS SRV: a machine dies, and its calls go on at the next server that DNS names',
  async () => {
    const phone = { caller: '10.88.0.100', callee: '10.88.0.200', setName: 'sip.example.com' }
    const connect = (network: Network): void => {
      network.add('phone', phone.caller)
      run('ip', '-n', network.of('phone'), 'addr', 'add', `${phone.callee}/24`, 'dev', 'e0')
    }
    await withMachines('srv', 159, { ...phone, connect }, async (world) => {
      const { start, curl, example } = world
      const zone = example('srv.zone', 0, [['192.0.2.', '10.88.0.']])
      const args = ['--name', phone.setName, '--caller', phone.caller, '--callee', phone.callee, '--zone', zone]
      const program = join(root, 'test/cluster/srv-phones.ts')
      const pair = start('phone', process.execPath, program, ...args, '--calls', String(CALLS))
      const said = (line: number): Promise<unknown> =>
        until('the phones say how it went', 60_000, () => {
          const lines = pair.stdout().split('\n').slice(0, -1)
          return lines[line] === undefined ? null : (JSON.parse(lines[line]) as unknown)
        })
      expect(await said(0)).toEqual({ up: CALLS, troubles: [] })
      const token = ['-u', ':a-token-of-the-operators-of-this-set']
      const leads = (id: number): boolean =>
        curl(...token, `http://${admin(id)}/status`).stdout.includes('"role":"leader"')
      const leader = must(IDS.find(leads), 'a leader')
      die(world, leader)
      pair.signal('SIGUSR2')
      const { changedOver, ...rest } = (await said(1)) as { readonly changedOver: number }
      console.log(`machine ${leader} died; ${changedOver} requests went to another server after it`)
      // Each call that was up ends, with a re-INVITE before in half of them; as many new ones come and go; no Record-Route names a machine.
      expect(rest).toEqual({ ended: CALLS, numbers: [], troubles: [] })
      expect(changedOver).toBeGreaterThan(0)
    })
  },
)

// One SIP address that moves from machine to machine while calls run, by docs/deploy/keepalived.conf; three machines and a phone's in network
// namespaces. The admin addresses are off loopback here, with a token.

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
import { missingTools, startCallee, startCaller } from './sipp.ts'

const isThere = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0
const lacking = ['ip', 'keepalived', 'curl'].filter((tool) => !isThere(tool))
const missing = missingTools() ?? (lacking.length > 0 ? `${lacking.join(', ')} missing` : null)
const why = missing ?? (process.getuid?.() === 0 ? null : 'network namespaces need root')
if (why !== null) console.warn(`skipped, an address that moves: ${why}`)

const SHARED = '10.88.0.10'
const IDS = [1, 2, 3]
const CALLS = 100
const host = (id: number): string => `10.88.0.${id}`
const admin = (id: number): string => `${host(id)}:${8_060 + id}`

test.skipIf(why !== null)('keepalived: the machine that has the address dies, and no call is lost', async () => {
  await inScene(156, async (scene) => {
    const network = new Network('vrrp')
    const started: Program[] = []
    try {
      for (const id of IDS) {
        network.add(`m${id}`, host(id))
        network.share(`m${id}`, SHARED)
      }
      network.add('phone', '10.88.0.100')
      run('ip', '-n', network.of('phone'), 'addr', 'add', '10.88.0.200/24', 'dev', 'e0')

      const [config, token] = [join(scene.folder, 'set.json'), join(scene.folder, 'token')]
      writeFileSync(token, 'a-token-of-the-operators-of-this-set\n', { mode: 0o600 })
      writeConfig(config, join(scene.folder, 'data'), { ...scene.place, sip: '127.0.0.10:5060' })
      const replicas = IDS.map((id) => ({
        id,
        ...{ admin: admin(id), peer: `${host(id)}:8160`, data: join(scene.folder, `replica-${id}`) },
      }))
      const own = JSON.parse(readFileSync(config, 'utf8')) as object
      const more = { sip: `${SHARED}:5060`, nextHop: '10.88.0.200:5070', allow: ['10.88.0.0/24'], replicas }
      writeFileSync(config, JSON.stringify({ ...own, ...more, adminTokenFile: token }), { mode: 0o600 })

      const machines = new Map<number, readonly Program[]>()
      for (const id of IDS) {
        const main = join(root, 'src/main.ts')
        const args = [main, 'start', '--config', config, '--replica', String(id), '--log-level', 'warn']
        const replica = network.start(`m${id}`, process.execPath, ...args)
        const text = readFileSync(join(root, 'docs/deploy/keepalived.conf'), 'utf8')
          .replaceAll('192.0.2.10', SHARED)
          .replaceAll('eth0', 'e0')
          .replaceAll('127.0.0.1:8061', admin(id))
          .replace('priority 103', `priority ${104 - id}`)
        const file = join(scene.folder, `keepalived-${id}.conf`)
        writeFileSync(file, text)
        const pids = [1, 2].map((n) => join(scene.folder, `keepalived-${id}.${n}.pid`)) as [string, string]
        const options = ['-n', '-l', '-P', '-f', file, '-p', pids[0], '-r', pids[1]]
        const vrrp = network.start(`m${id}`, 'keepalived', ...options)
        machines.set(id, [replica, vrrp])
        started.push(replica, vrrp)
      }
      const health = (id: number) =>
        spawnSync('ip', ['netns', 'exec', network.of('phone'), 'curl', '-fs', '-m', '1', `http://${admin(id)}/health`])
      await until('all serve', 40_000, () => (IDS.every((id) => health(id).status === 0) ? true : null))
      const withAddress = (): number | null => IDS.find((id) => network.has(`m${id}`, SHARED)) ?? null
      const first = await until('one has the address', 20_000, withAddress)
      // Nobody without the token is told anything.
      const asked = ['netns', 'exec', network.of('phone'), 'curl', '-s', '-m', '2', `http://${admin(first)}/status`]
      expect(spawnSync('ip', asked, { encoding: 'utf8' }).stdout).toContain('wants the admin token')

      const at = { network: network.of('phone'), transport: 'u1', holdMs: 12_000 } as const
      const callee = await startCallee({
        ...{ ...at, local: '10.88.0.200:5070', folder: join(scene.folder, 'callee'), scenario: phones.routed.callee },
      })
      scene.adoptPhone(callee)
      const caller = await startCaller({
        ...{ ...at, transport: 'un', local: '10.88.0.100:5060', folder: join(scene.folder, 'caller') },
        ...{ scenario: phones.routed.caller, remote: `${SHARED}:5060`, calls: CALLS, rate: 10 },
      })
      scene.adoptPhone(caller)
      await caller.reaches('half have begun', 20_000, ({ created }) => created >= CALLS / 2)

      const began = performance.now()
      network.cut(`m${first}`)
      for (const program of must(machines.get(first), 'a machine')) program.signal('SIGKILL')
      const others = IDS.filter((id) => id !== first)
      const next = await until(
        'another has it',
        10_000,
        () => others.find((id) => network.has(`m${id}`, SHARED)) ?? null,
      )
      console.log(`machine ${first} died, ${next} has its address ${Math.round(performance.now() - began)} ms later`)
      await expectAllCalls({ caller, callee }, CALLS, { deadlineMs: 60_000, retransmissions: 'allowed' })
    } catch (error) {
      const told = started.map((program) => program.stderr().slice(-1_500)).join('\n---\n')
      throw new Error(`${(error as Error).message}\n${told}`, { cause: error })
    } finally {
      for (const program of started) program.signal('SIGTERM')
      await Promise.race([
        Promise.all(started.map(({ exit }) => exit)),
        new Promise((resolve) => setTimeout(resolve, 3_000)),
      ])
      for (const program of started) program.signal('SIGKILL')
      await Promise.all(started.map(({ exit }) => exit))
      network.destroy()
    }
  })
})

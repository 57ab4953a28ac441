// Our target for the failover harness: three replicas as on three machines behind one virtual address. Any of them may own a call, so
// each has to send from that address, while the network gives what is sent to it to one of them. Linux lets nobody send from an address
// that the machine doesn't have (a bind with ip_nonlocal_bind succeeds, each sendto is ENETUNREACH): so each machine has it on its
// loopback, and says nothing of that in ARP, as the real servers of a load balancer do. Whose it is on the network is then the
// harness's affair, as it would be keepalived's.

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../cluster/replica-set.ts'
import type { Experiment } from './harness.ts'

/** The harness's own addresses. */
const SHARED_HOST = '10.77.0.10'
const SHARED = `${SHARED_HOST}:5060`
const CALLEES = '10.77.0.200:5060;transport=udp'
const HOSTS = ['10.77.0.1', '10.77.0.2', '10.77.0.3']
const NAMES = ['A', 'B', 'C']
const LIFETIME_S = 10

interface Printed {
  readonly replicas: readonly { readonly id: number }[]
}

/** `arp_ignore` 1: an address is told of on the interface that has it. `arp_announce` 2: who asks says who it is by its own address. */
const ON_LOOPBACK = [
  `ip addr add ${SHARED_HOST}/32 dev lo 2>/dev/null`,
  'sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2',
].join('; ')

/** A new set, whose log lies in `folder`. */
export function ourTarget(experiment: Experiment, folder: string): object {
  const config = join(folder, 'set.json')
  mkdirSync(folder, { recursive: true })
  const replicas = HOSTS.map((host, i) => ({
    id: i + 1,
    admin: adminOf(i),
    peer: `${host}:8160`,
    data: join(folder, `replica-${i + 1}`),
  }))
  const maxCall = experiment === 'timeout' ? LIFETIME_S : 0
  writeFileSync(config, JSON.stringify({ ...printed(), maxCall, replicas }), { mode: 0o600 })
  const main = join(root, 'src', 'main.ts')
  const nodes = NAMES.map((name, i) => ({
    name,
    argv: ['sh', '-c', `${ON_LOOPBACK}; exec "$@"`, 'sh', process.execPath, main, ...startArgs(config, i)],
    counters: [['ip', 'netns', 'exec', `bl${name}`, 'sh', '-c', countersOf(i)]],
  }))
  return { name: 'ours', settle_s: 8, nodes }
}

function startArgs(config: string, i: number): string[] {
  return ['start', '--config', config, '--replica', String(i + 1)]
}

function adminOf(i: number): string {
  return `127.0.0.1:${8061 + i}`
}

/** A set's id and secret are made by whoever prints its config. */
function printed(): Printed {
  const args = ['up', '--print-config', '--sip', SHARED, '--next-hop', CALLEES, '--allow', '10.77.0.0/24']
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src', 'main.ts'), ...args])
  if (status !== 0) throw new Error(`up --print-config: ${stderr.toString()}`)
  return JSON.parse(stdout.toString()) as Printed
}

/** `early:100`, `active:0`. The harness asks often and gives three seconds: a start of Node.js is too slow for that on a busy machine. */
function countersOf(i: number): string {
  const calls = `curl -s -m 2 http://${adminOf(i)}/status | grep -o '"calls":{[^}]*}'`
  return `${calls} | tr -d '"' | sed 's/confirmed:/active:/; s/calls://'`
}

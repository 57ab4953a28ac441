// Machines in network namespaces: each has one interface, e0, on one bridge, and nothing else. Root only.

import { spawnSync } from 'node:child_process'
import { startProgram } from './programs.ts'
import type { Program } from './programs.ts'

/** Runs a program of the system's; throws what it said if it fails. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}

export class Network {
  readonly #prefix: string
  readonly #machines: string[] = []

  constructor(name: string) {
    this.#prefix = `hf-${name}-${process.pid}`
    run('ip', 'netns', 'add', this.#hub)
    run('ip', '-n', this.#hub, 'link', 'add', 'br0', 'type', 'bridge')
    run('ip', '-n', this.#hub, 'link', 'set', 'br0', 'up')
  }

  get #hub(): string {
    return `${this.#prefix}-hub`
  }

  /** Its namespace. */
  of(machine: string): string {
    return `${this.#prefix}-${machine}`
  }

  add(machine: string, address: string): void {
    const [own, port] = [this.of(machine), `p-${machine}`]
    run('ip', 'netns', 'add', own)
    this.#machines.push(machine)
    run('ip', '-n', own, 'link', 'add', 'e0', 'type', 'veth', 'peer', 'name', port, 'netns', this.#hub)
    run('ip', '-n', this.#hub, 'link', 'set', port, 'master', 'br0', 'up')
    run('ip', '-n', own, 'addr', 'add', `${address}/24`, 'dev', 'e0')
    for (const link of ['lo', 'e0']) run('ip', '-n', own, 'link', 'set', link, 'up')
  }

  /** A namespace that was made without a place on the bridge. */
  adopt(machine: string): void {
    this.#machines.push(machine)
    run('ip', '-n', this.of(machine), 'link', 'set', 'lo', 'up')
  }

  /** A cable between two of them, beside the bridge; each end is called after the other. */
  connect(a: string, addressOfA: string, b: string, addressOfB: string): void {
    const [one, other] = [this.of(a), this.of(b)]
    run('ip', '-n', one, 'link', 'add', b, 'type', 'veth', 'peer', 'name', a, 'netns', other)
    run('ip', '-n', one, 'addr', 'add', `${addressOfA}/24`, 'dev', b)
    run('ip', '-n', other, 'addr', 'add', `${addressOfB}/24`, 'dev', a)
    run('ip', '-n', one, 'link', 'set', b, 'up')
    run('ip', '-n', other, 'link', 'set', a, 'up')
  }

  /** What is not on its own networks goes there. */
  route(machine: string, via: string): void {
    run('ip', '-n', this.of(machine), 'route', 'add', 'default', 'via', via)
  }

  /** Has an address that is somebody's on the network at a time: to send from it, it is on the loopback, untold in ARP. */
  share(machine: string, address: string): void {
    run('ip', '-n', this.of(machine), 'addr', 'add', `${address}/32`, 'dev', 'lo')
    const settings = ['net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2']
    run('ip', 'netns', 'exec', this.of(machine), 'sysctl', '-qw', ...settings)
  }

  /** Whether its interface has the address. */
  has(machine: string, address: string): boolean {
    return run('ip', '-n', this.of(machine), '-4', 'addr', 'show', 'dev', 'e0').includes(` ${address}/`)
  }

  start(machine: string, command: string, ...args: readonly string[]): Program {
    return startProgram('ip', ['netns', 'exec', this.of(machine), command, ...args])
  }

  /** Its cable is pulled. */
  cut(machine: string): void {
    run('ip', '-n', this.of(machine), 'link', 'set', 'e0', 'down')
  }

  destroy(): void {
    for (const machine of this.#machines) run('ip', 'netns', 'del', this.of(machine))
    run('ip', 'netns', 'del', this.#hub)
  }
}

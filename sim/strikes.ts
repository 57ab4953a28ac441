// Carries out the faults of a plan: each at its time, on machines and links.

import { unreachable } from '../src/base/assert.ts'
import { NEWEST_FORMAT } from '../src/wire/formats.ts'
import type { Agenda } from './agenda.ts'
import type { BanOrders } from './ban-orders.ts'
import type { Certificate } from './certificate.ts'
import { describeFault } from './fault.ts'
import type { Fault, Spell } from './fault.ts'
import type { Machine } from './machine.ts'
import type { Operator } from './operator.ts'
import type { PeerNetwork } from './peer-network.ts'
import type { Trace } from './trace.ts'

export interface StrikeParts {
  readonly agenda: Agenda
  readonly trace: Trace
  readonly peers: PeerNetwork
  readonly certificate: Certificate
  readonly machines: readonly Machine[]
  readonly operator: Operator
  readonly bans: BanOrders
  /** Nothing is taken of a source from about now on. */
  readonly onBan: (fault: Spell & { kind: 'ban' }) => void
  /** True time when all spells end. */
  readonly until: number
}

const second = 1_000_000
const loadCheck = second / 4

type Way = readonly [from: number, to: number]

export class Strikes {
  readonly #parts: StrikeParts
  #kills = 0
  #others = 0
  #struck = 0

  constructor(parts: StrikeParts) {
    this.#parts = parts
    for (const machine of parts.machines) machine.onTooOld = () => this.#modernize(machine)
  }

  get kills(): number {
    return this.#kills
  }

  /** All faults that struck, kills among them. */
  get count(): number {
    return this.#kills + this.#others
  }

  /** How many of the plan's crash points were reached. */
  get struck(): number {
    return this.#struck
  }

  schedule(fault: Fault): void {
    const { agenda } = this.#parts
    if (fault.kind === 'crash') {
      const machine = this.#machine(fault.point.replica)
      machine.doom(fault.point.input, fault.point.place, () => this.#crash(machine, fault))
    } else if ('until' in fault) {
      agenda.at(fault.at, () => this.#begin(fault))
      agenda.at(Math.min(fault.until, this.#parts.until), () => this.#end(fault))
    } else {
      agenda.at(fault.at, () => this.#strike(fault))
    }
  }

  #strike(fault: Exclude<Fault, Spell | { kind: 'crash' }>): void {
    const { agenda, certificate } = this.#parts
    switch (fault.kind) {
      case 'kill': {
        const machine = this.#machine(fault.replica)
        machine.host?.lightFuse(fault.effects, () => this.#kill(machine, fault), fault.unsynced ?? false)
        break
      }
      case 'pause': {
        const machine = this.#machine(fault.replica)
        machine.host?.lightFuse(fault.effects, () => this.#pause(machine, fault.length))
        break
      }
      case 'leader-sleeps': {
        const machine = this.#leader()
        machine?.host?.lightFuse(fault.effects, () => this.#pause(machine, fault.length))
        break
      }
      case 'drain': {
        const machine = this.#machine(fault.replica)
        if (machine.host === null) break
        this.#others++
        machine.drain(() => {
          agenda.after(fault.restartAfter, () => this.start(machine, fault.at))
          certificate.update(agenda.now)
        })
        break
      }
      case 'transfer':
        this.#others++
        this.#parts.operator.transfer(fault.replica)
        break
      case 'join':
        this.#others++
        this.#parts.operator.add(this.#machine(fault.replica))
        break
      case 'remove':
        this.#others++
        this.#parts.operator.remove(fault.replica)
        break
      case 'replace': {
        const machine = this.#machine(fault.replica)
        if (!this.#parts.operator.replace(machine, fault.restartAfter)) break
        this.#kills++
        certificate.update(agenda.now)
        break
      }
      case 'clock':
        this.#others++
        this.#machine(fault.replica).stepWall(fault.by)
        break
      case 'leap':
        this.#others++
        this.#machine(fault.replica).leap(fault.by)
        break
      case 'reset':
        this.#others++
        this.#parts.trace.tell(`reset of the link ${fault.replica} - ${fault.other}`)
        this.#parts.peers.reset(fault.replica, fault.other)
        break
      default:
        unreachable(fault)
    }
  }

  #kill(machine: Machine, fault: Fault & { kind: 'kill' }): void {
    const { at, tail, share = 500_000, damage, restartAfter, newest, rash = false } = fault
    const { agenda } = this.#parts
    this.#kills++
    machine.kill(tail, share)
    if (damage !== undefined) machine.damage(damage.what, share)
    this.#parts.certificate.update(agenda.now)
    agenda.after(restartAfter, () => {
      if (newest !== undefined) this.#install(machine, newest, rash)
      this.start(machine, at)
    })
    if (damage === undefined) return
    agenda.after(restartAfter + damage.mendedAfter, () => {
      machine.mend()
      this.#parts.certificate.update(agenda.now)
    })
  }

  start(machine: Machine, about: number): void {
    machine.start(about)
    this.#parts.certificate.update(this.#parts.agenda.now)
  }

  /** Its operator installs another release while it is dead; an older one, unless rash, only if no replica says that the set writes
   * what that can't read. */
  #install(machine: Machine, newest: number, isRash: boolean): void {
    if (machine.host !== null) return
    if (isRash || this.#parts.machines.every(({ active }) => active <= newest)) machine.install(newest)
  }

  /** Its release is too old for the set: its operator does what it is told. */
  #modernize(machine: Machine): void {
    const { agenda, certificate } = this.#parts
    agenda.after(1, () => certificate.update(agenda.now))
    agenda.after(second, () => {
      machine.kill('kept', 0)
      machine.install(NEWEST_FORMAT)
      this.start(machine, agenda.now)
    })
  }

  #pause(machine: Machine, length: number): void {
    const { agenda, peers, certificate } = this.#parts
    const { host } = machine
    if (host === null || host.isAsleep) return
    this.#others++
    peers.freeze(machine.place)
    certificate.update(agenda.now)
    host.sleep(length, () => {
      peers.thaw(machine.place)
      certificate.update(agenda.now)
    })
  }

  /** A crash point is reached. */
  #crash(machine: Machine, { how, length }: Fault & { kind: 'crash' }): void {
    const { agenda } = this.#parts
    this.#struck++
    if (how === 'kept' || how === 'lost') {
      const { now } = agenda
      this.#kill(machine, {
        kind: 'kill',
        at: now,
        replica: machine.place,
        effects: 0,
        tail: how,
        restartAfter: length,
      })
    } else if (how === 'pause') {
      this.#pause(machine, length)
    } else {
      const { now } = agenda
      const cut = { kind: 'partition', at: now, until: now + length, replica: machine.place, other: null } as const
      this.#begin({ ...cut, way: how, resets: false })
      agenda.after(length, () => this.#end({ ...cut, way: how, resets: false }))
    }
  }

  #begin(fault: Spell): void {
    this.#others++
    this.#parts.trace.tell(fault.kind === 'partition' ? `cut ${cutName(fault)}` : `begins: ${describeFault(fault)}`)
    this.#change(fault, true)
    if (fault.kind === 'flap') this.#flap(fault, true)
  }

  #end(fault: Spell): void {
    this.#parts.trace.tell(fault.kind === 'partition' ? `heal ${cutName(fault)}` : `ends: ${describeFault(fault)}`)
    this.#change(fault, false)
  }

  #change(fault: Spell, on: boolean): void {
    const { agenda, peers, certificate } = this.#parts
    switch (fault.kind) {
      case 'partition':
      case 'split':
        this.#cut(waysOf(fault, this.#parts.machines), on, fault.resets)
        break
      case 'flap':
        // It ends healed; in between it toggles by itself.
        break
      case 'slow-link':
        peers.slow(fault.replica, fault.other, on ? fault.delay : -fault.delay)
        break
      case 'slow-replica':
        this.#machine(fault.replica).condition.times = on ? fault.times : 1
        break
      case 'slow-disk':
        this.#machine(fault.replica).condition.sync = on ? fault.sync : null
        break
      case 'ban':
        this.#ban(fault, on)
        break
      case 'overload':
        if (on) this.#load(fault)
        break
      case 'disk-full':
        this.#machine(fault.replica).fill(on)
        certificate.fill(fault.replica, on)
        break
      default:
        unreachable(fault)
    }
    certificate.update(agenda.now)
  }

  /** As the host tells it (hostLimits.loadCheckMs); for some time after it that there isn't. */
  #load(fault: Spell & { kind: 'overload' }): void {
    const { agenda } = this.#parts
    const isFull = agenda.now < fault.until
    this.#machine(fault.replica).host?.deliver({ kind: 'load', isFull })
    if (agenda.now < fault.until + 10 * second) agenda.after(loadCheck, () => this.#load(fault))
  }

  #ban(fault: Spell & { kind: 'ban' }, on: boolean): void {
    const { source, at, until, runsOut = false } = fault
    const { bans, onBan } = this.#parts
    const seconds = runsOut ? Math.ceil((until - at) / second) : null
    if (on) {
      onBan(fault)
      bans.order({ kind: 'ban', source, seconds })
    } else if (!runsOut) bans.order({ kind: 'unban', source })
  }

  /** Half of each period cut, half of it whole, and whole at its end. */
  #flap(fault: Spell & { kind: 'flap' }, on: boolean): void {
    const { agenda, certificate } = this.#parts
    const until = Math.min(fault.until, this.#parts.until)
    if (on && agenda.now >= until) return
    this.#cut(bothWays(fault.replica, fault.other), on, fault.resets)
    certificate.update(agenda.now)
    agenda.at(Math.min(agenda.now + Math.ceil(fault.period / 2), until), () => this.#flap(fault, !on))
  }

  #cut(ways: readonly Way[], on: boolean, resets: boolean): void {
    const { peers } = this.#parts
    for (const [from, to] of ways) peers[on ? 'cut' : 'heal'](from, to)
    if (on && resets) for (const [from, to] of ways) peers.reset(from, to)
  }

  /** Who leads the highest term. */
  #leader(): Machine | undefined {
    return this.#parts.machines
      .filter(({ replica }) => replica?.raft.isLeader === true)
      .sort((a, b) => (b.replica?.raft.term ?? 0) - (a.replica?.raft.term ?? 0))[0]
  }

  #machine(id: number): Machine {
    return this.#parts.machines[id - 1] as Machine
  }
}

function cutName({ replica, way, other }: Spell & { kind: 'partition' }): string {
  return `${replica} ${way} ${other ?? 'all'}`
}

/** On which ways nothing passes. */
function waysOf(fault: Spell & { kind: 'partition' | 'split' }, machines: readonly Machine[]): readonly Way[] {
  if (fault.kind === 'split') {
    return fault.groups.flatMap((group, i) =>
      fault.groups.slice(i + 1).flatMap((far) => group.flatMap((a) => far.flatMap((b) => bothWays(a, b)))),
    )
  }
  const { replica, other, way } = fault
  const others = machines
    .map(({ place }) => place)
    .filter((far) => far !== replica && (other === null || far === other))
  return others.flatMap((far) => {
    const ways: Way[] = []
    if (way !== 'in') ways.push([replica, far])
    if (way !== 'out') ways.push([far, replica])
    return ways
  })
}

function bothWays(a: number, b: number): readonly Way[] {
  return [
    [a, b],
    [b, a],
  ]
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replicaId } from '../src/base/brand.ts'
import type { Life, ReplicaId } from '../src/base/brand.ts'
import type { Instant } from '../src/base/instant.ts'
import type { InputBody } from '../src/replica/input.ts'
import { formatsUpTo } from '../src/wire/formats.ts'
import type { Formats } from '../src/wire/formats.ts'
import { Agenda } from './agenda.ts'
import { Certificate } from './certificate.ts'
import { draw } from './draws.ts'
import { flows } from './flows.ts'
import { ladder } from './ladder.ts'
import { PeerNetwork } from './peer-network.ts'
import { describeFault, replicasOf } from './fault.ts'
import { drawPlan } from './plan.ts'
import type { Plan } from './plan.ts'
import { SetAddress } from './set-address.ts'
import { SipNetwork } from './sip-network.ts'
import { Trace } from './trace.ts'

const never = (): boolean => false
const quiet: Plan = {
  ...drawPlan(1),
  replicas: 3,
  udp: { loss: 0, duplication: 0, delayLeast: 100, delayMost: 100, straggle: 0, straggleMost: 0, replay: 0 },
  address: { kind: 'shared' },
  peer: { delayLeast: 100, delayMost: 5_000, late: 0 },
}

describe('Agenda', () => {
  it('lets things happen by time, then in the order of scheduling', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
        const agenda = new Agenda()
        const seen: (readonly [number, number])[] = []
        times.forEach((time, i) => agenda.at(time, () => seen.push([time, i])))
        agenda.runUntil(100, never)
        expect(seen).toEqual(times.map((time, i) => [time, i] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]))
      }),
    )
  })

  it('forgets what is cancelled, and stands at the end of the time it was given', () => {
    const agenda = new Agenda()
    const seen: string[] = []
    agenda.cancel(agenda.at(5, () => seen.push('cancelled')))
    agenda.at(11, () => seen.push('later'))
    agenda.runUntil(10, never)
    expect([seen, agenda.now]).toEqual([[], 10])
  })
})

describe('draw', () => {
  it('depends on the seed, the kind and what it is about, and on no draw before', () => {
    const one = draw(1, 'loss')
    const first = one.below(1_000_000, 7, 8)
    one.below(10, 1)
    expect(one.below(1_000_000, 7, 8)).toBe(first)
    expect([draw(2, 'loss').below(1_000_000, 7, 8), draw(1, 'delay').below(1_000_000, 7, 8)]).not.toContain(first)
  })

  it('comes out evenly', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    const one = draw(3, 'even')
    for (let i = 0; i < 20_000; i++) counts[one.below(10, i)] = (counts[one.below(10, i)] ?? 0) + 1
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(250)
  })
})

class Far {
  readonly life: Life
  readonly known = new Map<number, string>()
  readonly seen: string[] = []
  readonly formats: Formats
  writes = 1

  constructor(id: number, start: number, incarnation = 'x', newest = 2) {
    this.life = `${id}.${incarnation}.${start}` as Life
    this.formats = formatsUpTo(newest)
  }

  active(): number {
    return this.writes
  }

  unfit(): void {
    this.seen.push('unfit')
  }

  deliver(input: InputBody): void {
    if (input.kind === 'link') this.seen.push(input.state.kind)
    if (input.kind === 'peer') this.seen.push(String(input.frame[0]))
  }
}

describe('PeerNetwork', () => {
  const ids = [1, 2] as unknown as readonly [ReplicaId, ReplicaId]
  const pair = (plan: Plan): { agenda: Agenda; network: PeerNetwork; a: Far; b: Far } => {
    const agenda = new Agenda()
    const network = new PeerNetwork(agenda, { ...plan, replicas: 2, faults: [] })
    const [a, b] = [new Far(1, 1), new Far(2, 1)]
    network.attach(1, a)
    network.attach(2, b)
    agenda.runUntil(1_000_000, never)
    return { agenda, network, a, b }
  }
  const frames = (network: PeerNetwork, from: number, to: number): void => {
    for (let n = from; n <= to; n++) network.send(ids[0], ids[1], Uint8Array.of(n))
  }

  it('carries frames in order, and copies them', () => {
    const { agenda, network, b } = pair(quiet)
    frames(network, 1, 9)
    agenda.runUntil(2_000_000, never)
    expect(b.seen).toEqual(['up', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  it('a set that writes what a peer does not read ends their link, and tells the peer when it comes again', () => {
    const { agenda, network, a } = pair(quiet)
    network.detach(2)
    const old = new Far(2, 2, 'x', 1)
    network.attach(2, old)
    agenda.runUntil(2_000_000, never)
    expect(old.seen).toEqual(['up'])
    expect(network.reachable(1, 2)).toBe(true)
    a.writes = 2
    network.formatRaised(1)
    agenda.runUntil(3_000_000, never)
    expect(old.seen).toEqual(['up', 'closed', 'unfit'])
    expect(a.seen.at(-1)).toBe('closed')
    expect(network.reachable(1, 2)).toBe(false)
  })

  it('a death closes the link, then its address refuses, then the next life is up', () => {
    const { agenda, network, a } = pair(quiet)
    network.detach(2)
    agenda.runUntil(2_000_000, never)
    network.attach(2, new Far(2, 2))
    agenda.runUntil(3_000_000, never)
    expect(a.seen).toEqual(['up', 'closed', 'refused', 'up'])
  })

  it('a cut holds frames of one way, healing brings them; the other way goes on', () => {
    const { agenda, network, a, b } = pair(quiet)
    network.cut(1, 2)
    frames(network, 1, 2)
    network.send(ids[1], ids[0], Uint8Array.of(7))
    agenda.runUntil(2_000_000, never)
    expect([a.seen, b.seen]).toEqual([['up', '7'], ['up']])
    network.heal(1, 2)
    agenda.runUntil(3_000_000, never)
    expect(b.seen).toEqual(['up', '1', '2'])
  })

  it('behind a cut nobody learns of a death: no refusal before it heals', () => {
    const { agenda, network, a } = pair(quiet)
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const)
      network.cut(from, to)
    network.detach(2)
    agenda.runUntil(2_000_000, never)
    expect(a.seen).toEqual(['up'])
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const)
      network.heal(from, to)
    agenda.runUntil(3_000_000, never)
    expect(a.seen).toEqual(['up', 'closed', 'refused'])
  })

  it('what is in flight when a connection breaks is lost, or comes after the next one is up', () => {
    for (const late of [0, 1_000_000]) {
      const { agenda, network, b } = pair({ ...quiet, peer: { delayLeast: 4_500, delayMost: 4_500, late } })
      network.reset(1, 2)
      frames(network, 1, 2)
      agenda.runUntil(2_000_000, never)
      // Sent after the break: dropped.
      expect(b.seen).toEqual(['up', 'closed', 'up'])
      frames(network, 3, 4)
      network.reset(1, 2)
      agenda.runUntil(3_000_000, never)
      expect(b.seen.slice(3)).toEqual(late === 0 ? ['closed', 'up'] : ['closed', 'up', '3', '4'])
    }
  })

  it('nobody listens to a replica that comes back with another disk; with its own it is welcome', () => {
    const { agenda, network, a } = pair(quiet)
    network.detach(2)
    network.attach(2, new Far(2, 1, 'other'))
    agenda.runUntil(2_000_000, never)
    expect(a.seen).toEqual(['up', 'closed'])
    expect(network.reachable(1, 2)).toBe(false)
    network.detach(2)
    network.attach(2, new Far(2, 2))
    agenda.runUntil(3_000_000, never)
    expect(a.seen).toEqual(['up', 'closed', 'up'])
    expect(network.reachable(1, 2)).toBe(true)
  })

  it('cuts add up: a link is whole when the last of them has healed', () => {
    const { agenda, network, b } = pair(quiet)
    network.cut(1, 2)
    network.cut(1, 2)
    frames(network, 1, 1)
    network.heal(1, 2)
    agenda.runUntil(2_000_000, never)
    expect(b.seen).toEqual(['up'])
    network.heal(1, 2)
    agenda.runUntil(3_000_000, never)
    expect(b.seen).toEqual(['up', '1'])
  })

  it('a slow link delays, and keeps the order', () => {
    const { agenda, network, b } = pair({ ...quiet, peer: { delayLeast: 100, delayMost: 100, late: 0 } })
    network.slow(1, 2, 500_000)
    frames(network, 1, 2)
    network.slow(1, 2, -500_000)
    frames(network, 3, 3)
    agenda.runUntil(1_400_000, never)
    expect(b.seen).toEqual(['up'])
    agenda.runUntil(1_600_000, never)
    expect(b.seen).toEqual(['up', '1', '2', '3'])
  })

  it('counts a quorum only where frames pass both ways', () => {
    const agenda = new Agenda()
    const network = new PeerNetwork(agenda, quiet)
    const certificate = new Certificate(network, 3)
    for (const id of [1, 2, 3]) network.attach(id, new Far(id, 1))
    certificate.update(0)
    network.detach(3)
    certificate.update(10)
    expect([certificate.cutSince(replicaId(1)), certificate.cutSince(replicaId(3))]).toEqual([null, 10])
    network.cut(1, 2)
    certificate.update(20)
    network.heal(1, 2)
    certificate.update(50)
    expect([certificate.without(0, 100), certificate.without(30, 100)]).toEqual([30, 20])
  })

  it('a quorum needs disks that take what it decides', () => {
    const agenda = new Agenda()
    const network = new PeerNetwork(agenda, quiet)
    const certificate = new Certificate(network, 3)
    for (const id of [1, 2, 3]) network.attach(id, new Far(id, 1))
    certificate.fill(3, true)
    certificate.update(0)
    network.detach(2)
    certificate.update(10)
    certificate.fill(3, false)
    certificate.update(50)
    expect(certificate.without(0, 100)).toBe(40)
  })
})

describe('SipNetwork', () => {
  const set = { host: '127.0.0.10', port: 5060 }
  const phone = { host: '10.0.0.1', port: 5060 }
  const streams = { bind: () => {}, unbind: () => {}, fromSet: () => true, becomePerfect: () => {} }

  it('deals each flow to one bound replica, and all of them anew when the bound ones change', () => {
    const agenda = new Agenda()
    const network = new SipNetwork(agenda, quiet, new Trace(() => 0, null), set, new SetAddress(agenda, quiet), streams)
    const seen = new Map<string, number[]>()
    const bind = (id: number, life: string): void =>
      network.bind(id, {
        life,
        now: () => agenda.now,
        isAsleep: false,
        deliver: (input) => {
          if (input.kind !== 'sip') return
          seen.set(input.flow.host, [...(seen.get(input.flow.host) ?? []), id])
        },
      })
    const everyone = (): void => {
      for (let n = 1; n <= 60; n++)
        for (let k = 0; k < 2; k++) network.fromPhone({ host: `10.0.0.${n}`, port: 5060 }, set, `${k}\r\n`)
      agenda.runUntil(agenda.now + 1_000_000, never)
    }
    for (const id of [1, 2, 3]) bind(id, `${id}.x.1`)
    everyone()
    const before = new Map(seen)
    for (const ids of before.values()) expect(new Set(ids).size).toBe(1)
    expect(new Set([...before.values()].map(([id]) => id)).size).toBe(3)
    seen.clear()
    network.unbind(3)
    everyone()
    const moved = [...seen].filter(([host, [id]]) => before.get(host)?.[0] !== 3 && before.get(host)?.[0] !== id)
    expect(moved.length).toBeGreaterThan(5)
  })

  it('is fair: never more than two datagrams of a way are lost in a row', () => {
    const agenda = new Agenda()
    const plan = { ...quiet, udp: { ...quiet.udp, loss: 1_000_000 } }
    const network = new SipNetwork(agenda, plan, new Trace(() => 0, null), set, new SetAddress(agenda, quiet), streams)
    let arrived = 0
    network.attachPhone(phone, () => arrived++)
    const flow = { ...phone, transport: 'udp', stream: '' } as const
    const send = { kind: 'send', flow, notAfter: 0 as Instant, origin: null } as const
    for (let n = 0; n < 30; n++) network.fromSet(1, { ...send, data: `${n}\r\n` })
    agenda.runUntil(1_000_000, never)
    expect([arrived, network.lost]).toEqual([10, 20])
  })
})

describe('the plan of a seed', () => {
  it('is a plain value that is the same each time', () => {
    fc.assert(
      fc.property(fc.nat(100_000), (seed) => {
        const plan = drawPlan(seed)
        expect(JSON.parse(JSON.stringify(plan))).toEqual(drawPlan(seed))
      }),
      { numRuns: 50 },
    )
  })

  it('has every kind of fault in some seed, and each fault says all that it needs', () => {
    const kinds = new Set<string>()
    for (let seed = 1; seed <= 200; seed++) {
      const plan = drawPlan(seed)
      const joined = plan.faults.map((fault) => (fault.kind === 'join' ? fault.replica : 0))
      const places = Math.max(plan.replicas, ...joined)
      for (const fault of plan.faults) {
        kinds.add(fault.kind === 'kill' ? `kill ${fault.tail} ${fault.damage?.what ?? ''}` : fault.kind)
        expect(describeFault(fault)).not.toContain('undefined')
        for (const replica of replicasOf(fault)) expect(replica >= 1 && replica <= places).toBe(true)
        if ('until' in fault) expect(fault.until).toBeLessThanOrEqual(plan.safetyUntil)
      }
      kinds.add(plan.address.kind)
    }
    const spells = ['partition', 'split', 'flap', 'slow-link', 'slow-replica', 'slow-disk', 'disk-full', 'ban']
    const strikes = ['pause', 'leader-sleeps', 'clock', 'leap', 'reset', 'join', 'remove', 'replace', 'transfer']
    const tails = ['kept', 'part', 'lost', 'torn', 'holed'].map((tail) => `kill ${tail} `)
    const damages = ['flipped', 'gone', 'swapped'].map((what) => expect.stringMatching(`kill .* ${what}`) as string)
    expect([...kinds]).toEqual(
      expect.arrayContaining([...spells, ...strikes, ...tails, ...damages, 'shared', 'virtual', 'names']),
    )
  })

  it('while a disk is damaged nobody else is killed: the rest is a quorum', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const kills = drawPlan(seed).faults.filter((fault) => fault.kind === 'kill')
      for (const { at, restartAfter, damage } of kills) {
        if (damage === undefined) continue
        const mended = at + restartAfter + damage.mendedAfter
        expect(kills.filter((other) => other.at > at && other.at < mended)).toEqual([])
      }
    }
  })

  it('cuts for 10 s at most, 40 s apart, and stops with the safety phase', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const plan = drawPlan(seed)
      const cuts = plan.faults.filter((fault) => fault.kind === 'partition')
      cuts.forEach((cut, i) => {
        expect(cut.until - cut.at).toBeLessThanOrEqual(10_000_000)
        expect(cut.until).toBeLessThanOrEqual(plan.safetyUntil)
        expect(cut.at - (cuts[i - 1]?.until ?? -40_000_000)).toBeGreaterThanOrEqual(40_000_000)
      })
    }
  })
})

describe('ladder', () => {
  it('reads who does what, when', () => {
    const { steps } = ladder('x', '|--INVITE-->|\n|<--486--| 0.5..2s\n|--BYE->X<-BYE--| 1s')
    expect(
      steps.map(({ by, deed, waitLeast, waitMost, crossing }) => [by, deed, waitLeast, waitMost, crossing]),
    ).toEqual([
      ['caller', { kind: 'request', method: 'INVITE' }, 0, 0, false],
      ['callee', { kind: 'answer', status: 486 }, 500_000, 2_000_000, false],
      ['caller', { kind: 'request', method: 'BYE' }, 1_000_000, 1_000_000, true],
      ['callee', { kind: 'request', method: 'BYE' }, 1_000_000, 1_000_000, true],
    ])
  })

  it('has at least fifteen flows, with names of their own', () => {
    expect(new Set(flows.map(({ name }) => name)).size).toBe(flows.length)
    expect(flows.length).toBeGreaterThanOrEqual(15)
  })
})

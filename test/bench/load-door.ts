// A replica with a load: while it leads, commits are proposed to it at a rate, as owners would. The loop around it is the
// shipping one; what the load costs is on the replica's account.

import type { GroupKey, Life } from '../../src/base/brand.ts'
import { groupKey, life, replicaId } from '../../src/base/brand.ts'
import type { Instant } from '../../src/base/instant.ts'
import { instant } from '../../src/base/instant.ts'
import { entityBytes } from '../../src/call/entities.ts'
import type { Door } from '../../src/host/host.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Replica } from '../../src/replica/replica.ts'
import type { Party } from '../../src/session/dialog.ts'
import { encodeBody } from '../../src/wire/codec.ts'
import type { Store } from '../../src/store/store.ts'
import type { Commit, Put } from '../../src/wire/entry.ts'
import { NEWEST_FORMAT } from '../../src/wire/formats.ts'
import type { Meter } from './meter.ts'
import { propose, putting } from './proposal.ts'

/** What is written: `groups` calls of `entities` dialogs with `bytes` each. */
export interface Shape {
  readonly groups: number
  readonly entities: number
  readonly bytes: number
}

/** `fill`: every group once, as fast as it goes. A number: so many commits a second, to one group after the other. */
export interface Order {
  readonly rate: number | 'fill'
  readonly shape: Shape
  /** Rises with each order, so that serials do. */
  readonly number: number
}

export interface Done {
  readonly commits: number
  /** They were proposed when an owner changed, and have no outcome. */
  readonly lost: number
  /** Milliseconds from the proposal until it was applied, sorted. */
  readonly times: readonly number[]
}

interface Open {
  readonly group: GroupKey
  readonly version: number
  readonly at: Instant
}

const mostOpen = 2_000
const mostAtOnce = 200
const patience = 5_000_000
const orders = 100_000_000

export class LoadDoor implements Door {
  readonly #replica: Replica
  readonly #meter: Meter
  readonly #seen: (effect: Effect) => void
  /** Whoever proposes is heard of from here on. */
  readonly #from: Life
  #order: Order | null = null
  #begun: Instant | null = null
  #made = 0
  #open: Open[] = []
  #commits = 0
  #lost = 0
  #times: number[] = []

  constructor(replica: Replica, id: number, meter: Meter, seen: (effect: Effect) => void) {
    this.#replica = replica
    this.#meter = meter
    this.#seen = seen
    this.#from = life(replicaId(id === 1 ? 2 : 1), 'load', 1)
  }

  obey(order: Order | null): void {
    this.#order = order
    this.#begun = null
    this.#made = 0
    this.#open = []
  }

  get isFilled(): boolean {
    const { rate, shape } = this.#order ?? { rate: 0, shape: { groups: 0 } }
    return rate === 'fill' && this.#made === shape.groups && this.#open.length === 0
  }

  /** Since the last call. */
  take(): Done {
    const done = { commits: this.#commits, lost: this.#lost, times: this.#times.sort((a, b) => a - b) }
    this.#commits = this.#lost = 0
    this.#times = []
    return done
  }

  step(input: Input): readonly Effect[] {
    return this.#meter.turn(() => {
      const proposed = input.kind === 'time' ? this.#offer(input) : []
      const effects = [...proposed, ...this.#replica.step(input)]
      for (const effect of effects) this.#seen(effect)
      this.#settle(input.now)
      return effects
    })
  }

  deadline(): Instant | null {
    const own = this.#replica.deadline()
    const due = this.#due()
    return due === null || (own !== null && own < due) ? own : due
  }

  #due(): Instant | null {
    if (this.#order === null || this.#begun === null || this.#open.length >= mostOpen) return null
    const { rate, shape } = this.#order
    if (rate === 'fill') return this.#made < shape.groups ? instant(0) : null
    return instant(this.#begun + Math.ceil(((this.#made + 1) * 1_000_000) / rate))
  }

  #offer(input: Input): readonly Effect[] {
    const { now } = input
    if (this.#order === null || !this.#replica.raft.isLeader) return []
    this.#begun ??= now
    const { rate, shape } = this.#order
    const wanted = rate === 'fill' ? shape.groups : Math.floor(((now - this.#begun) * rate) / 1_000_000)
    const room = Math.min(mostAtOnce, mostOpen - this.#open.length)
    const bodies: Uint8Array[] = []
    for (; this.#made < wanted && bodies.length < room; this.#made++) {
      const body = this.#commit(this.#order, now)
      if (body === null) break
      bodies.push(body)
    }
    if (bodies.length === 0) return []
    return propose(this.#replica, this.#from, bodies, input)
  }

  #commit({ shape, number }: Order, now: Instant): Uint8Array | null {
    const commit = commitOf(this.#replica.store, shape, this.#made, number * orders + this.#made + 1)
    if (commit === null) return null
    this.#open.push({ group: commit.group, version: commit.expected + 1, at: now })
    return encodeBody(commit)
  }

  #settle(now: Instant): void {
    const { store } = this.#replica
    const isHurried = this.#order?.rate === 'fill'
    this.#open = this.#open.filter(({ group, version, at }, i) => {
      // As they come, mostly; one that was lost must not hide those after it.
      if (isHurried && i > mostAtOnce) return true
      const isThere = store.groupVersion(group) >= version
      if (!isThere && now - at < patience) return true
      if (isThere) {
        this.#commits++
        this.#times.push((now - at) / 1_000)
      } else this.#lost++
      return false
    })
  }
}

/** The next commit of a group, as its owner would make it; null = nobody serves yet. Groups lie far apart, one after the other. */
export function commitOf(store: Store, shape: Shape, made: number, serial: number): Commit | null {
  const n = (made * 7_919) % shape.groups
  const group = groupKey(n.toString(16).padStart(16, '0'))
  const proposer = store.ownerOf(group)
  if (proposer === null) return null
  const version = store.groupVersion(group)
  const bytes = dialogBytes(n, version, shape.bytes)
  const puts: Put[] = Array.from({ length: shape.entities }, (_, i) => ({
    tree: 'Dialog',
    id: `d${n}.${i}`,
    expected: version,
    bytes,
  }))
  return putting(store, { group, expected: version, proposer, serial, lowestOpen: serial, puts })
}

/** A confirmed dialog with targets so long that it has that many bytes. */
function dialogBytes(n: number, version: number, bytes: number): Uint8Array {
  const party = (side: string, target: string): Party => ({
    tag: `${side}-${n}`,
    target,
    transport: 'udp',
    cseq: version + 1,
    refreshed: 0,
    stream: '',
    routes: [],
  })
  const make = (pad: number): Uint8Array =>
    entityBytes(
      {
        kind: 'dialog',
        state: 'confirmed',
        session: `s${n}`,
        transaction: `z9hG4bK${n}`,
        callId: `call-${n}@client.example.org`,
        caller: party('caller', `sip:alice-${n}@192.0.2.1:5060`),
        callee: party('callee', `sip:bob-${n}@192.0.2.2:5060;x=${'x'.repeat(pad)}`),
        watch: null,
      },
      NEWEST_FORMAT,
    )
  return make(Math.max(0, bytes - make(0).length - 2))
}

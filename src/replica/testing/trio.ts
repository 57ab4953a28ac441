// A small set of replicas in memory, driven event by event: frames arrive at once and in order unless `frames` keeps them,
// what is persisted is durable at once. Nothing random, no real time.

import { must } from '../../base/assert.ts'
import { life, replicaId } from '../../base/brand.ts'
import type { Life, ReplicaId } from '../../base/brand.ts'
import { instant, millis, plus, stamp } from '../../base/instant.ts'
import type { Instant } from '../../base/instant.ts'
import type { AppCall, ApplicationInfo, Op } from '../../app/contract.ts'
import type { CallSettings } from '../../call/contract.ts'
import type { Place } from '../../proxy/locate.ts'
import { decodeFrame } from '../../wire/codec.ts'
import { KNOWN_FORMATS } from '../../wire/formats.ts'
import type { Frame } from '../../wire/frame.ts'
import type { Flow } from '../../wire/entry.ts'
import type { Effect, HttpAnswer, Reply, Send } from '../effect.ts'
import type { InputBody, SipInput } from '../input.ts'
import { Replica } from '../replica.ts'

const EPOCH = 1_700_000_000_000_000

interface Post {
  readonly from: ReplicaId
  readonly to: ReplicaId
  readonly frame?: Uint8Array
  /** From one of its groups to another. */
  readonly sip?: SipInput
}

export interface SentBy extends Send {
  readonly by: ReplicaId
}

export interface AskedBy extends AppCall {
  readonly by: ReplicaId
}

export class Trio {
  readonly ids: readonly ReplicaId[]
  readonly sent: SentBy[] = []
  /** What DNS was asked for, and by whom. */
  readonly asked: { readonly by: ReplicaId; readonly place: Place }[] = []
  /** What applications were asked, and by whom; answered by `answer`. */
  readonly calls: AskedBy[] = []
  /** Answers to HTTP requests, and by whom. */
  readonly pages: { readonly by: ReplicaId; readonly id: number; readonly answer: HttpAnswer }[] = []
  /** Answers to questions of the admin address. */
  readonly replies: Reply[] = []
  readonly replicas = new Map<ReplicaId, Replica>()
  /** False: the frame is lost. */
  frames: (from: ReplicaId, to: ReplicaId, frame: Frame) => boolean = () => true
  readonly #posts: Post[] = []
  readonly #dead = new Set<ReplicaId>()
  now: Instant = instant(1_000_000)

  constructor(count = 3, settings: Partial<CallSettings> = {}, applications: readonly ApplicationInfo[] = []) {
    this.ids = Array.from({ length: count }, (_, i) => replicaId(i + 1))
    for (const id of this.ids) {
      const sip = { host: '127.36.0.1', port: 5060 }
      const nextHop = { host: '127.36.0.3', port: 5064, transport: null }
      this.replicas.set(
        id,
        new Replica({
          id,
          set: 'trio',
          voters: this.ids,
          life: this.lifeOf(id),
          seed: id,
          freshKey: new Uint8Array(16).fill(id),
          laterKeys: new Uint8Array(16).fill(100 + id),
          records: [],
          settings: { sip, nextHop, ...settings },
          applications,
          now: this.now,
          wall: stamp(EPOCH + this.now),
        }),
      )
    }
    for (const one of this.ids) for (const two of this.ids) if (one !== two) this.link(one, two, 'up')
    this.settle()
  }

  lifeOf(id: ReplicaId): Life {
    return life(id, `disk${id}`, 1)
  }

  replica(id: ReplicaId): Replica {
    return must(this.replicas.get(id), 'a replica of the set')
  }

  link(at: ReplicaId, to: ReplicaId, state: 'up' | 'closed' | 'refused'): void {
    const change =
      state === 'up'
        ? ({ kind: state, life: this.lifeOf(to), formats: KNOWN_FORMATS } as const)
        : ({ kind: state } as const)
    this.step(at, { kind: 'link', peer: to, state: change })
  }

  kill(id: ReplicaId): void {
    this.#dead.add(id)
    for (const other of this.ids) if (other !== id) this.link(other, id, 'closed')
  }

  sip(at: ReplicaId, flow: Flow, data: string): void {
    this.step(at, { kind: 'sip', flow, data })
    this.settle()
  }

  step(id: ReplicaId, body: InputBody): void {
    if (this.#dead.has(id)) return
    const input = { ...body, now: this.now, wall: stamp(EPOCH + this.now) }
    for (const effect of this.replica(id).step(input)) this.#perform(id, effect)
  }

  /** Turns end and frames arrive until all is quiet at this instant. */
  settle(): void {
    for (const id of this.ids) this.step(id, { kind: 'time' })
    let steps = 0
    for (let post = this.#posts.shift(); post !== undefined; post = this.#posts.shift()) {
      if (++steps > 100_000) throw new Error('frames call forth frames without end')
      if (this.#dead.has(post.from)) continue
      if (post.sip !== undefined) this.step(post.to, post.sip)
      if (post.frame !== undefined)
        this.step(post.to, { kind: 'peer', from: this.lifeOf(post.from), frame: post.frame })
      this.step(post.to, { kind: 'time' })
    }
  }

  /** Time passes, from deadline to deadline. */
  pass(ms: number): void {
    const end = plus(this.now, millis(ms))
    for (let steps = 0; ; steps++) {
      if (steps > 1_000 + 100 * ms) throw new Error('a deadline comes again and again')
      let next: Instant | null = null
      for (const id of this.ids) {
        const at = this.#dead.has(id) ? null : this.replica(id).deadline()
        if (at !== null && (next === null || at < next)) next = at
      }
      if (next === null || next > end) break
      this.now = instant(Math.max(this.now, next))
      this.settle()
    }
    this.now = end
    this.settle()
  }

  /** The handler has done this, and nothing else. */
  answer({ by, id }: AskedBy, ...ops: readonly Op[]): void {
    this.step(by, { kind: 'answered', id, answer: { kind: 'done', ops, result: null } })
    this.settle()
  }

  leader(): ReplicaId {
    return must(
      this.ids.find((id) => !this.#dead.has(id) && this.replica(id).raft.isLeader),
      'somebody leads',
    )
  }

  /** Until all replicas serve. */
  begin(): this {
    for (let i = 0; i < 100; i++) {
      this.pass(100)
      if (this.ids.every((id) => this.replica(id).store.serving().members.length === this.ids.length)) return this
    }
    throw new Error('not all of them serve')
  }

  #perform(by: ReplicaId, effect: Effect): void {
    if (effect.kind === 'peer') {
      const decoded = decodeFrame(effect.frame)
      if (decoded.ok && this.frames(by, effect.to, decoded.value)) this.#posts.push({ from: by, ...effect })
    } else if (effect.kind === 'persist') {
      for (const then of effect.then) this.#perform(by, then)
      this.step(by, { kind: 'persisted', upTo: effect.number })
    } else if (effect.kind === 'send' && effect.isInside === true) {
      this.#posts.push({ from: by, to: by, sip: { kind: 'sip', flow: effect.flow, data: effect.data } })
    } else if (effect.kind === 'send') {
      this.sent.push({ ...effect, by })
    } else if (effect.kind === 'locate') {
      this.asked.push({ by, place: effect.place })
    } else if (effect.kind === 'ask') {
      this.calls.push({ ...effect.call, by })
    } else if (effect.kind === 'http') {
      this.pages.push({ by, id: effect.id, answer: effect.answer })
    } else if (effect.kind === 'reply') this.replies.push(effect)
  }
}

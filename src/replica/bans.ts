// Banned sources (decision 0030): what this replica takes nothing from, and what is asked of the list. The list is a group like any
// other: its owner makes its commits, and every replica reads what it has applied.
//
//   request --(not the owner: `ask` frame)--> owner: commit --> applied --> answered by what the list then has

import { replicaOf } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import { plus, seconds } from '../base/instant.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import { BANS, timerOf } from '../call/bans.ts'
import { entityValue } from '../call/entities.ts'
import { callLimits } from '../call/limits.ts'
import type { InputRef } from '../call/contract.ts'
import { isListed, parseBlock } from '../proxy/access.ts'
import type { AccessList } from '../proxy/access.ts'
import type { Store } from '../store/store.ts'
import type { Applied } from '../store/view.ts'
import type { AnswerFrame } from '../wire/frame.ts'
import type { BanAnswer, BanRequest } from '../wire/member-request.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'
import type { Owner } from './owner.ts'

/** The first that has the frames. */
const FORMAT = 2
/** Numbers of passed requests, so that their answers aren't taken for those about the set. */
const FIRST = 2 ** 32

export interface BansPorts {
  readonly life: Life
  readonly store: Store
  readonly links: Links
  readonly outbox: Outbox
  readonly owner: Owner
  now(): Instant
  stale(): boolean
}

type Asker =
  | { readonly kind: 'admin'; readonly id: number }
  | { readonly kind: 'peer'; readonly life: Life; readonly id: number }

interface Waiting {
  readonly asker: Asker
  readonly request: BanRequest
  readonly until: Instant
}

/** One row of the list, in cluster time. */
export interface BanView {
  readonly source: string
  readonly since: Stamp
  /** Null = until it is taken back. */
  readonly until: Stamp | null
}

export class Bans {
  readonly #ports: BansPorts
  /** Null = it is to be read anew. */
  #list: AccessList | null = null
  /** By the input that this replica's owner room has. */
  readonly #own = new Map<InputRef, Waiting>()
  /** By the number that the owner was asked with. */
  readonly #passed = new Map<number, Waiting>()
  #count = 0

  constructor(ports: BansPorts) {
    this.#ports = ports
  }

  isBanned(host: string): boolean {
    this.#list ??= bansOf(this.#ports.store).flatMap(({ source }) => {
      const block = parseBlock(source)
      return block.ok ? [block.value] : []
    })
    return this.#list.length > 0 && isListed(this.#list, host)
  }

  applied(applied: Applied): void {
    const isOurs =
      (applied.kind === 'commit' && applied.commit.group === BANS) ||
      (applied.kind === 'pulse' && applied.fired.some(({ group }) => group === BANS))
    if (isOurs) this.#list = null
  }

  storeReplaced(): void {
    this.#list = null
  }

  /** What is asked twice is done once. */
  ask(asker: Asker, request: BanRequest): void {
    const { life, store, links, stale, now } = this.#ports
    const owner = store.ownerOf(BANS)
    const waiting = { asker, request, until: plus(now(), limits.memberAnswer) }
    if (store.format < FORMAT)
      return this.#refuse(asker, 'some replica is of a release without a list of banned sources')
    if (owner === null || stale()) return this.#refuse(asker, 'no quorum is known to be there: ask again')
    if (this.#own.size + this.#passed.size >= limits.memberRequests) {
      return this.#refuse(asker, `${limits.memberRequests} such requests wait already: ask again`)
    }
    const number = ++this.#count
    if (owner === life) {
      this.#own.set(-number, waiting)
      const { source } = request
      const after = request.kind === 'ban' && request.seconds !== null ? seconds(request.seconds) : null
      const change = request.kind === 'ban' ? { kind: request.kind, source, after } : { kind: request.kind, source }
      this.#ports.owner.input(BANS, { kind: 'ban', change, ref: -number })
    } else if (asker.kind === 'peer') this.#refuse(asker, 'the list has another owner by now: ask again')
    else {
      const frame = { kind: 'ask', id: FIRST + number, request: JSON.stringify(request) } as const
      if (links.send(replicaOf(owner), frame)) this.#passed.set(frame.id, waiting)
      else this.#refuse(asker, "the list's owner can't be reached: ask again")
    }
  }

  onAnswer({ id, status, body }: AnswerFrame): void {
    const waiting = this.#passed.get(id)
    if (waiting === undefined) return
    this.#passed.delete(id)
    try {
      this.#answer(waiting.asker, status, JSON.parse(body) as BanAnswer)
    } catch {
      this.#refuse(waiting.asker, "the owner's answer can't be read: ask again")
    }
  }

  /** The owner room is done with it. */
  handled(ref: InputRef): void {
    const waiting = this.#own.get(ref)
    if (waiting === undefined) return
    this.#own.delete(ref)
    const { asker, request } = waiting
    const row = bansOf(this.#ports.store).find(({ source }) => source === request.source)
    if (request.kind === 'unban' || row !== undefined) {
      this.#answer(asker, 200, { ok: true, source: request.source, until: row?.until ?? null })
    } else {
      const error = `${callLimits.bans} sources are banned already: take one back, or ban a larger block`
      this.#answer(asker, 409, { ok: false, error })
    }
  }

  /** The group went to another owner before that. */
  dropped(ref: InputRef): void {
    const waiting = this.#own.get(ref)
    this.#own.delete(ref)
    if (waiting !== undefined) this.#refuse(waiting.asker, 'the list has another owner by now: ask again')
  }

  /** Null as a rule: nobody asks for anything. */
  deadline(): Instant | null {
    if (this.#own.size + this.#passed.size === 0) return null
    const times = [...this.#own.values(), ...this.#passed.values()].map(({ until }) => until)
    return Math.min(...times) as Instant
  }

  expire(now: Instant): void {
    for (const map of [this.#own, this.#passed]) {
      if (map.size === 0) continue
      for (const [number, { asker, until }] of [...map]) {
        if (until > now) continue
        map.delete(number)
        this.#refuse(asker, 'no quorum agreed in time: ask again, the same request is never done twice')
      }
    }
  }

  #refuse(asker: Asker, error: string): void {
    this.#answer(asker, 503, { ok: false, error })
  }

  #answer(asker: Asker, status: number, body: BanAnswer): void {
    const { outbox, links } = this.#ports
    if (asker.kind === 'admin') outbox.push({ kind: 'reply', id: asker.id, status, body })
    else links.send(replicaOf(asker.life), { kind: 'answer', id: asker.id, status, body: JSON.stringify(body) })
  }
}

/** The list as that store has it, in the order of its sources. */
export function bansOf(store: Store): readonly BanView[] {
  const view = store.group(BANS)
  if (view === null) return []
  const ends = new Map(view.timers.map(({ id, deadline }) => [id, deadline]))
  return view.entities
    .flatMap((entity) => {
      const value = entityValue(entity)
      if (value?.kind !== 'ban') return []
      const { source, since } = value
      return [{ source, since, until: ends.get(timerOf(source)) ?? null }]
    })
    .sort((a, b) => (a.source < b.source ? -1 : 1))
}

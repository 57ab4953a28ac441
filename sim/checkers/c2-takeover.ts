// C2 and C1 at a takeover (design.md 4): the new owner sends the bytes of the log that its predecessor may have taken with it:
// the ACK of each failure, the CANCEL of each cancelled branch that rings, each final, the final of a BYE, a BYE of our own. On UDP the
// far side's repetition hides it where one is missing; on a stream nothing does.

import type { GroupKey, Life } from '../../src/base/brand.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { Effect } from '../../src/replica/effect.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Store } from '../../src/store/store.ts'
import type { Entity, Serving } from '../../src/store/view.ts'
import type { Flow } from '../../src/wire/entry.ts'
import type { Machine } from '../machine.ts'
import { summary } from '../sip-network.ts'
import type { Checker, Report } from './checker.ts'

/** From the entry that makes it owner until it has sent: the longest partition and pause, and a barrier. */
const sentWithin = 20_000_000

interface Takeover {
  readonly life: Life
  readonly group: GroupKey
  readonly version: number
  readonly at: number
  /** Not sent yet. */
  readonly texts: Set<string>
}

export class Takeovers implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #open = new Map<GroupKey, Takeover>()

  constructor(report: Report, now: () => number) {
    this.#report = report
    this.#now = now
  }

  /** A serving entry was committed. */
  reign(store: Store, before: Serving, after: Serving): void {
    for (const group of store.groups()) {
      const life = ownerUnder(after, group)
      if (life === ownerUnder(before, group)) continue
      this.#open.delete(group)
      const view = store.group(group)
      const texts = new Set(view?.entities.flatMap((entity) => storedTexts(entity, after)))
      if (life !== null && view !== null && texts.size > 0) {
        this.#open.set(group, { life, group, version: view.version, at: this.#now(), texts })
      }
    }
  }

  died(machine: Machine): void {
    for (const [group, { life }] of this.#open) if (life === machine.life) this.#open.delete(group)
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send' || effect.origin === null) return
    const takeover = this.#open.get(effect.origin.group)
    if (takeover === undefined) return
    // On a stream it is the holder that sends for the owner.
    if (takeover.life !== machine.life && effect.flow.stream === '') return
    takeover.texts.delete(effect.data)
    if (takeover.texts.size === 0) this.#open.delete(takeover.group)
  }

  /** To be called every now and then. What changed the group since has superseded what it had. */
  look(store: Store): void {
    for (const { life, group, version, at, texts } of this.#open.values()) {
      if (store.groupVersion(group) !== version) this.#open.delete(group)
      else if (this.#now() - at >= sentWithin) this.#missing(life, group, [...texts][0] ?? '')
    }
  }

  #missing(life: Life, group: GroupKey, text: string): void {
    this.#report('C2', `${life} took over group ${group} and never sent what the log has: ${summary(text)}`)
  }
}

/** But for an ACK that goes on a flow (17.1.1.3: where its INVITE went): while its holder can't be asked there is no way to that phone, and
 * the phone says if it misses it. And for a CANCEL on a flow whose holder is gone: a phone that comes back on another one and says something of
 * its call gets it there; of one that has answered in the moment of the death nothing comes, and 64*T1 later the caller gets 487 (9.1). */
function storedTexts(entity: Entity, { members }: Serving): readonly string[] {
  const value = entityValue(entity)
  if (value?.kind === 'bye') return [value.final]
  if (value?.kind === 'own') return [value.text]
  if (value?.kind !== 'invite') return []
  const isThere = ({ stream }: Flow): boolean =>
    stream === '' || members.some(({ life }) => stream.startsWith(`${life}/`))
  const final = value.state !== 'proceeding' && value.final !== null ? [value.final] : []
  const hops = value.branches.map(({ state, ack, cancel, answer, hop }) => {
    if (state === 'completed') return hop.stream === '' ? ack : null
    if (state === 'proceeding') return isThere(hop) ? cancel : null
    return state === 'accepted' ? answer : null
  })
  return [...final, ...hops.filter((text) => text !== null)]
}

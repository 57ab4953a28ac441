// Which replica a datagram to the set reaches, by the way that the set's address is made (proof.md, address models):
//
//   shared    `reusePort` on one machine: a hash of its sender over the sockets that are bound just then. Every death and
//             every join deals all flows anew, those of living replicas too (design.md 9)
//   virtual   one address that one of the machines holds; when its process dies another one takes it, some time later
//   names     a name with an address for each replica: a phone takes them in an order of its own, and the next one when a
//             datagram met a closed port; it comes back to the first after a while

import { mixText } from '../src/base/hash.ts'
import type { Agenda } from './agenda.ts'
import { draw, moment } from './draws.ts'
import type { Draw } from './draws.ts'
import type { Plan } from './plan.ts'

/** A lost SYN is repeated after a second. */
const synAgain = 1_000_000

export type AddressModel =
  | { readonly kind: 'shared' }
  | { readonly kind: 'virtual'; readonly movesLeast: number; readonly movesMost: number }
  /** `avoid`: for how long a phone does not try again what was closed. */
  | { readonly kind: 'names'; readonly avoid: number }

interface Binding {
  readonly replica: number
  readonly life: string
}

export class SetAddress {
  readonly #agenda: Agenda
  readonly #seed: number
  /** The places that the name has an address for, in order. */
  #listed: readonly number[]
  readonly #model: AddressModel
  readonly #draw: Draw
  /** In the order of replicas. */
  #bound: readonly Binding[] = []
  /** Who has the virtual address. */
  #holder: number | null = null
  /** By sender and replica: until when it is not tried. */
  readonly #avoided = new Map<string, number>()

  constructor(agenda: Agenda, { seed, replicas, address }: Plan) {
    this.#agenda = agenda
    this.#seed = seed
    this.#listed = Array.from({ length: replicas }, (_, i) => i + 1)
    this.#model = address
    this.#draw = draw(seed, 'set address')
  }

  /** A place came to the set, or went: its operator sees to the name. */
  list(place: number, isListed: boolean): void {
    const others = this.#listed.filter((other) => other !== place)
    this.#listed = isListed ? [...others, place].sort((a, b) => a - b) : others
  }

  bind(replica: number, life: string): void {
    const others = this.#bound.filter((other) => other.replica !== replica)
    this.#bound = [...others, { replica, life }].sort((a, b) => a.replica - b.replica)
    if (this.#bound.length === 1) this.#holder ??= replica
  }

  unbind(replica: number): void {
    this.#bound = this.#bound.filter((binding) => binding.replica !== replica)
    if (this.#model.kind !== 'virtual' || this.#holder !== replica) return
    const { movesLeast, movesMost } = this.#model
    const delay = this.#draw.within(movesLeast, movesMost, 1, moment(this.#agenda.now))
    this.#holder = null
    this.#agenda.after(delay, () => this.#takeOver())
  }

  /** Which replica's socket a datagram or a connection of that sender meets now; null = none. */
  deal(sender: string): number | null {
    switch (this.#model.kind) {
      case 'shared': {
        if (this.#bound.length === 0) return null
        const deal = mixText(this.#seed, `${sender} ${this.#bound.map(({ life }) => life).join(' ')}`)
        return this.#bound[deal.low % this.#bound.length]?.replica ?? null
      }
      case 'virtual':
        return this.#holder
      case 'names':
        return this.#named(sender, this.#model.avoid)
    }
  }

  /** When somebody whom nobody answered may try again; null = not soon. */
  tryAgainAfter(): number | null {
    if (this.#bound.length === 0 || this.#model.kind === 'shared') return null
    return this.#model.kind === 'names' ? 1_000 : synAgain
  }

  #takeOver(): void {
    if (this.#holder !== null || this.#bound.length === 0) return
    const which = this.#draw.below(this.#bound.length, 2, moment(this.#agenda.now))
    this.#holder = this.#bound[which]?.replica ?? null
  }

  /** The first in its order that it doesn't avoid; if it avoids all, the first. */
  #named(sender: string, avoid: number): number | null {
    const { low } = mixText(this.#seed, sender)
    const listed = this.#listed
    const order = listed.map((_, i) => listed[(low + i) % listed.length] as number)
    const { now } = this.#agenda
    const choice = order.find((replica) => (this.#avoided.get(`${sender} ${replica}`) ?? 0) <= now) ?? order[0]
    const isBound = this.#bound.some(({ replica }) => replica === choice)
    // Nobody listens there: an ICMP message or a reset says so, and what is sent next goes to the next one.
    if (!isBound) this.#avoided.set(`${sender} ${choice}`, now + avoid)
    return isBound ? (choice ?? null) : null
  }
}

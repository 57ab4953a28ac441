// One direction of a stream: bytes in order, cut at arbitrary places, some of them late because the network lost a segment
// and the kernel repeated it.

import type { Agenda } from './agenda.ts'
import type { Draw } from './draws.ts'
import type { Plan } from './plan.ts'

/** Writes are cut into at most this many pieces. */
const piecesMost = 4
/** What a lost segment costs: the kernel's retransmission timer. */
const repeatLeast = 200_000
const repeatMost = 1_000_000

export interface PipeParts {
  readonly agenda: Agenda
  readonly draw: Draw
  readonly plan: Plan['udp']
  readonly isFaulty: () => boolean
}

interface Piece {
  readonly at: number
  readonly text: string
}

export class Pipe {
  readonly #parts: PipeParts
  readonly #name: number
  readonly #arrive: (chunk: string) => void
  #underWay: Piece[] = []
  /** Messages whose last byte has not arrived, with its offset. */
  #messages: { readonly text: string; readonly end: number }[] = []
  #written = 0
  #arrived = 0
  #lastArrival = 0
  #isBroken = false

  /** `name` tells it from all others of a run. */
  constructor(parts: PipeParts, name: number, arrive: (chunk: string) => void) {
    this.#parts = parts
    this.#name = name
    this.#arrive = arrive
  }

  /** False if it is broken. */
  write(message: string): boolean {
    if (this.#isBroken) return false
    const { agenda, draw } = this.#parts
    const from = this.#written
    this.#written += message.length
    this.#messages.push({ text: message, end: this.#written })
    const cuts = Array.from({ length: draw.below(piecesMost, 1, this.#name, from) }, (_, i) =>
      draw.within(1, message.length - 1, 2, this.#name, from, i),
    ).sort((a, b) => a - b)
    let start = 0
    for (const [i, end] of [...cuts, message.length].entries()) {
      if (end === start) continue
      this.#lastArrival = Math.max(this.#lastArrival, agenda.now + this.#delay(from, i))
      this.#underWay.push({ at: this.#lastArrival, text: message.slice(start, end) })
      agenda.at(this.#lastArrival, () => this.#flush())
      start = end
    }
    return true
  }

  /** Calls back when all that was written has arrived; not if it breaks before. */
  whenEmpty(then: () => void): void {
    this.#parts.agenda.at(this.#lastArrival, () => {
      if (!this.#isBroken) then()
    })
  }

  /** What has not arrived never will; the messages that lost bytes by that. */
  break(): readonly string[] {
    const lost = this.#messages.filter(({ end }) => end > this.#arrived).map(({ text }) => text)
    this.#isBroken = true
    this.#underWay = []
    this.#messages = []
    return lost
  }

  /** Whatever is there by now is read at once. */
  #flush(): void {
    const { now } = this.#parts.agenda
    const count = this.#underWay.filter(({ at }) => at <= now).length
    if (count === 0) return
    const chunk = this.#underWay
      .splice(0, count)
      .map(({ text }) => text)
      .join('')
    this.#arrived += chunk.length
    while (this.#messages[0] !== undefined && this.#messages[0].end <= this.#arrived) this.#messages.shift()
    this.#arrive(chunk)
  }

  #delay(...about: readonly number[]): number {
    const { draw, plan, isFaulty } = this.#parts
    if (!isFaulty()) return plan.delayLeast
    const delay = draw.within(plan.delayLeast, plan.delayMost, 3, this.#name, ...about)
    if (!draw.chance(plan.loss, 4, this.#name, ...about)) return delay
    return delay + draw.within(repeatLeast, repeatMost, 5, this.#name, ...about)
  }
}

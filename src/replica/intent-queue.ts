// Intents that wait to be performed, oldest first, and those that are being performed (design.md 4). Each application has a lane of its
// own beside the set's: one whose handlers hang holds up its own callbacks, but no BYE of ours, no timer C and no other application.

import type { GroupKey } from '../base/brand.ts'
import { Queue } from '../base/queue.ts'

export interface WaitingIntent {
  readonly group: GroupKey
  readonly id: string
}

interface Lane {
  readonly waiting: Queue<WaitingIntent>
  performing: number
}

export class IntentQueue {
  readonly #most: (lane: string) => number
  readonly #laneOf: (intent: WaitingIntent) => string
  readonly #lanes = new Map<string, Lane>()
  /** Group and id, and the lane's name. */
  readonly #performing = new Map<string, string>()

  /** `most`: performances of a lane at a time. */
  constructor(most: (lane: string) => number, laneOf: (intent: WaitingIntent) => string) {
    this.#most = most
    this.#laneOf = laneOf
  }

  push(intent: WaitingIntent): void {
    this.#lane(this.#laneOf(intent)).waiting.push(intent)
  }

  /** Whether `take` may have one. */
  get busy(): boolean {
    for (const [name, { waiting, performing }] of this.#lanes)
      if (waiting.length > 0 && performing < this.#most(name)) return true
    return false
  }

  /** The next one, which is being performed from now on; undefined = none waits, or there is no room. */
  take(): WaitingIntent | undefined {
    for (const [name, lane] of this.#lanes) {
      while (lane.performing < this.#most(name)) {
        const intent = lane.waiting.shift()
        if (intent === undefined) break
        if (this.#performing.has(placeOf(intent))) continue
        this.#performing.set(placeOf(intent), name)
        lane.performing++
        return intent
      }
      if (lane.waiting.length === 0 && lane.performing === 0) this.#lanes.delete(name)
    }
    return undefined
  }

  /** It is over, or nothing comes of it. */
  done(intent: WaitingIntent): void {
    this.#end(placeOf(intent))
  }

  /** The group is another's. */
  drop(group: GroupKey): void {
    for (const place of [...this.#performing.keys()]) if (place.startsWith(`${group} `)) this.#end(place)
  }

  /** Only the intents of these groups wait on. */
  keep(isKept: (intent: WaitingIntent) => boolean): void {
    for (const { waiting } of this.#lanes.values()) waiting.keep(isKept)
  }

  clear(): void {
    for (const { waiting } of this.#lanes.values()) waiting.clear()
  }

  #end(place: string): void {
    const name = this.#performing.get(place)
    if (name === undefined) return
    this.#performing.delete(place)
    this.#lane(name).performing--
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name)
    if (known !== undefined) return known
    const lane = { waiting: new Queue<WaitingIntent>(), performing: 0 }
    this.#lanes.set(name, lane)
    return lane
  }
}

function placeOf({ group, id }: WaitingIntent): string {
  return `${group} ${id}`
}

// What comes on connections, so much in a round of the loop as of a datagram socket (hostLimits.fullRound), one message of each
// connection in turn. A read brings up to 64 kB of each, some hundred messages: handled in one go they would keep the loop from its
// peers for seconds, and one busy trunk all others from being heard.
//
//   read --> handled, while the round has room
//        '-> waits, and its connection isn't read any more --next rounds--> handled; with the last one it is read again
//
// So what waits here is no more than was read at once, and the far end of a connection that sends more is slowed by TCP.

import { hostLimits } from './limits.ts'

interface Waiting {
  readonly messages: string[]
  /** Of `messages`, how many were handled. */
  done: number
}

export interface RoundsParts<Key> {
  /** Characters that may wait. */
  readonly room: number
  handle(from: Key, message: string): void
  /** Whether that connection is read. */
  read(from: Key, isRead: boolean): void
}

export class StreamRounds<Key> {
  readonly #parts: RoundsParts<Key>
  /** Whose turn it is, in order. */
  readonly #waiting = new Map<Key, Waiting>()
  #characters = 0
  /** How many more this round takes. */
  #left: number = hostLimits.fullRound
  #isArmed = false

  constructor(parts: RoundsParts<Key>) {
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  isWaiting(from: Key): boolean {
    return this.#waiting.has(from)
  }

  /** A message, handled now or later; false if there is no room for it. */
  take(from: Key, message: string): boolean {
    this.#arm()
    const waiting = this.#waiting.get(from)
    if (waiting === undefined && this.#left > 0) {
      this.#left--
      this.#parts.handle(from, message)
      return true
    }
    if (this.#characters + message.length > this.#parts.room) return false
    this.#characters += message.length
    if (waiting === undefined) {
      this.#waiting.set(from, { messages: [message], done: 0 })
      this.#parts.read(from, false)
    } else waiting.messages.push(message)
    return true
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    setImmediate(() => this.#nextRound())
  }

  #nextRound(): void {
    this.#isArmed = false
    this.#left = hostLimits.fullRound
    while (this.#left > 0) {
      const next = this.#waiting.entries().next()
      if (next.done === true) return
      this.#left--
      this.#one(...next.value)
    }
    this.#arm()
  }

  #one(from: Key, waiting: Waiting): void {
    const message = waiting.messages[waiting.done++] ?? ''
    this.#characters -= message.length
    // To the end of the line, or out of it.
    this.#waiting.delete(from)
    if (waiting.done < waiting.messages.length) this.#waiting.set(from, waiting)
    this.#parts.handle(from, message)
    if (waiting.done === waiting.messages.length) this.#parts.read(from, true)
  }
}

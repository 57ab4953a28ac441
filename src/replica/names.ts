// What DNS said, for as long as it said (RFC 3263). The host asks; what it finds is an input, so that a replica stays a function of its
// inputs. The flows that a call goes by are in its commit: another owner asks nothing again.

import { plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { placeName } from '../proxy/locate.ts'
import type { Located, Place } from '../proxy/locate.ts'
import { limits } from './limits.ts'
import type { LocatedInput } from './input.ts'
import type { Outbox } from './outbox.ts'

export class Names {
  readonly #outbox: Outbox
  /** The one found longest ago first. */
  readonly #found = new Map<string, { readonly answer: Located; readonly until: Instant }>()
  /** Asked, and not answered yet. */
  readonly #asked = new Set<string>()

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** What is known of that place; `wait` = the host is asked, and `onLocated` follows, always. */
  locate(place: Place, now: Instant): Located | 'wait' {
    const name = placeName(place)
    const known = this.#found.get(name)
    if (known !== undefined && now < known.until) return known.answer
    if (this.#asked.has(name)) return 'wait'
    if (this.#asked.size >= limits.namesAsked) {
      this.#outbox.count('names_refused')
      return { kind: 'failed' }
    }
    this.#asked.add(name)
    this.#outbox.count('names_asked')
    this.#outbox.push({ kind: 'locate', place })
    return 'wait'
  }

  onLocated({ place, answer, ttl }: LocatedInput, now: Instant): void {
    const name = placeName(place)
    this.#asked.delete(name)
    this.#found.delete(name)
    if (this.#found.size >= limits.names) {
      const [oldest] = this.#found.keys()
      if (oldest !== undefined) this.#found.delete(oldest)
    }
    this.#found.set(name, { answer, until: plus(now, ttl) })
  }
}

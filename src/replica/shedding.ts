// Who is let in while this replica has more to do than it can (decision 0030): a share of what would begin something, asked where it
// comes in, so that a refusal costs nobody else anything. The same request is judged alike each time that it comes, unless the share
// has changed.
//
//   a check that found too much --the fourth in a row, or any while the share is cut already--> the share is cut
//   one that did not            --------------------------------------------------------------> the share rises, up to all
//
// The share is found in seconds, and until then each call that is let in brings six more messages. So while a crowd waits here, none is.

import { sipHashText } from '../base/hash.ts'
import { must } from '../base/assert.ts'
import type { GroupKey } from '../base/brand.ts'
import { between, instant } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { requestKey } from '../proxy/branch.ts'
import type { SetKeys } from '../proxy/settings.ts'
import type { SipRequest } from '../sip/message.ts'
import { limits } from './limits.ts'

export class Shedding {
  #full = 0
  /** Of a hundred. */
  #share = 100
  /** Since the last check: INVITEs that were handled, and those of them that had waited for too long. */
  #handled = 0
  #slow = 0
  /** Waiting counts from here. */
  #from = instant(0)
  /** Groups that a request began in lately, and when: a replica hears that it is handled before it has applied what came of it. In order. */
  readonly #begun = new Map<GroupKey, Instant>()

  get isOn(): boolean {
    return this.#share < 100
  }

  /** All that waits has waited for something else than work: for a quorum, for an owner that was dead, or for this replica to know what it
   * owns. From now on it counts. */
  waited(now: Instant): void {
    this.#from = now
  }

  /** Other replicas own what this one did, or the other way round: what comes of that is over soon, and counts for nothing. */
  ownersChanged(now: Instant): void {
    this.waited(now)
    this.#full = 0
  }

  /** Whether an INVITE that has been here since then waits for too long: for this replica, for its owner, for the log. */
  isSlow(since: Instant, now: Instant): boolean {
    return between(since > this.#from ? since : this.#from, now) >= limits.slow
  }

  /** An INVITE is handled that came here at `since`. */
  handled(since: Instant, now: Instant): void {
    this.#handled++
    if (this.isSlow(since, now)) this.#slow++
  }

  /** `isFull`: since the last check more came than this process took; `waiting`: INVITEs that wait for too long by now. The share, if it
   * changes; else null. */
  check(isFull: boolean, waiting: number): number | null {
    const slow = this.#slow + waiting
    const isSlow = slow >= limits.slowLeast && slow * limits.slowPart >= this.#handled + waiting
    this.#handled = 0
    this.#slow = 0
    const before = this.#share
    this.#full = isFull || isSlow ? this.#full + 1 : 0
    if (this.#full >= limits.fullChecks || (this.#full > 0 && before < 100)) {
      this.#share = Math.max(limits.leastShare, Math.floor((before * limits.shareCut) / 100))
    } else if (this.#full === 0) this.#share = Math.min(100, before + limits.shareRise)
    return this.#share === before ? null : this.#share
  }

  /** So many messages wait here that what would begin something had better come later. */
  isCrowded(kept: number, now: Instant): boolean {
    return kept >= limits.crowd && between(this.#from, now) >= limits.settled
  }

  /** What would begin something was let in. */
  begun(group: GroupKey, now: Instant): void {
    this.#begun.delete(group)
    this.#begun.set(group, now)
    for (const [oldest, at] of this.#begun) {
      if (between(at, now) < limits.begunFor) break
      this.#begun.delete(oldest)
    }
  }

  /** Lately: its repetition isn't refused. */
  hasBegun(group: GroupKey): boolean {
    return this.#begun.has(group)
  }

  /** By a keyed hash, so that nobody can choose to be let in. */
  isLetIn(request: SipRequest, keys: SetKeys): boolean {
    const key = must(keys.key(1), 'the set has no key yet')
    return sipHashText(key, `share ${requestKey(request)}`).low % 100 < this.#share
  }
}

// Who is let in besides the calls that are up (decision 0026): so much of each source. The owner of a group asks, so that an INVITE
// that was let in is never refused when it comes again; each of the replicas that serve gives a source its part of what it may ask of
// the set.

import { addressGroups } from '../sip/host.ts'
import type { Verdict } from '../call/contract.ts'
import { between, seconds } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { limits } from './limits.ts'

/** A token bucket for what is let in, and one for refusals: who sends more than both is not worth an answer. */
interface Source {
  requests: number
  refusals: number
  at: Instant
}

export class Admission {
  /** The one heard longest ago first. */
  readonly #sources = new Map<string, Source>()

  /** What becomes of a request that is no part of a call. `rate`: requests a second of one source, null = as many as it likes;
   * `serving`: how many replicas share in what comes. */
  verdict(host: string, rate: number | null, now: Instant, serving: number): Verdict {
    return rate === null ? 'admit' : this.#ofSource(host, rate, now, serving)
  }

  #ofSource(host: string, rate: number, now: Instant, serving: number): Verdict {
    const name = sourceOf(host)
    const source = this.#sources.get(name) ?? this.#newSource(name, rate, now)
    const gained = (between(source.at, now) / seconds(1)) * (rate / serving)
    source.requests = Math.min(rate, source.requests + gained)
    source.refusals = Math.min(rate, source.refusals + gained)
    source.at = now
    this.#sources.delete(name)
    this.#sources.set(name, source)
    if (source.requests >= 1) {
      source.requests--
      return 'admit'
    }
    if (source.refusals < 1) return 'drop'
    source.refusals--
    return 'refuse'
  }

  /** A second's worth to begin with; who was heard longest ago is forgotten for it. */
  #newSource(name: string, rate: number, now: Instant): Source {
    const source = { requests: rate, refusals: rate, at: now }
    if (this.#sources.size >= limits.sources) {
      const [oldest] = this.#sources.keys()
      if (oldest !== undefined) this.#sources.delete(oldest)
    }
    this.#sources.set(name, source)
    return source
  }
}

/** What counts as one source: an IPv4 address, or the /64 of an IPv6 address, all of which is one customer's (RFC 6177). */
function sourceOf(host: string): string {
  const groups = addressGroups(host)
  if (groups === null || groups[5] === 0xffff) return host
  return groups.slice(0, 4).join(':')
}

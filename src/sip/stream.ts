// Messages out of a stream of bytes: framing by Content-Length (RFC 3261 18.3, 20.14), keep-alive by empty lines
// (RFC 5626 4.4.1). Every character is looked at once however the chunks are cut, and what is kept is bounded.
//
//              empty line (one: skipped, two: ping)
//     between <--------------------------------+
//        |                                     |
//        | any other character     body complete: message
//        v                                     |
//      head ---------- empty line --------> body
//        |                                     |
//        +---- too long, no length, two ... ---+----> broken, for good

import { indexHeaders, nextOfKind } from './header-index.ts'
import { Kind } from './header-name.ts'
import { sipLimits } from './limits.ts'
import { CR, LF, isTokenCode } from './scan.ts'
import { readContentLength } from './strict.ts'

export type FrameEvent =
  | { readonly kind: 'message'; readonly text: string }
  /** A double CRLF between messages; it is answered by a single one. */
  | { readonly kind: 'ping' }
  /** The boundaries are lost: close the stream. Nothing comes after it. */
  | { readonly kind: 'broken'; readonly reason: string }

export class StreamFramer {
  #state: 'between' | 'head' | 'body' | 'broken' = 'between'
  /** What there is of the message, as pieces: joined once, when it is complete. Invariant: at most `sipLimits.message`
   * characters. */
  #pieces: string[] = []
  #length = 0
  /** How much of CR LF CR LF has been seen: between messages, or at the end of a head that isn't complete. */
  #matched = 0
  /** Characters of the body that are still to come. */
  #missing = 0

  /** A message has begun and not ended. */
  get isWithinMessage(): boolean {
    return this.#state === 'head' || this.#state === 'body'
  }

  /** What the next characters of the stream, as latin1, complete. */
  push(chunk: string): readonly FrameEvent[] {
    const events: FrameEvent[] = []
    let at = 0
    while (at < chunk.length && this.#state !== 'broken') {
      if (this.#state === 'between') at = this.#between(chunk, at, events)
      else if (this.#state === 'head') at = this.#head(chunk, at, events)
      else at = this.#body(chunk, at, events)
    }
    return events
  }

  #between(chunk: string, from: number, events: FrameEvent[]): number {
    for (let at = from; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (code === (this.#matched % 2 === 0 ? CR : LF)) {
        this.#matched++
        if (this.#matched < 4) continue
        this.#matched = 0
        events.push({ kind: 'ping' })
      } else if (this.#matched % 2 === 0 && isTokenCode(code)) {
        this.#state = 'head'
        this.#matched = 0
        return at
      } else {
        this.#break('not-sip', events)
        return chunk.length
      }
    }
    return chunk.length
  }

  #head(chunk: string, from: number, events: FrameEvent[]): number {
    const most = Math.min(chunk.length, from + sipLimits.message - this.#length)
    let matched = this.#matched
    let at = from
    while (at < most && matched < 4) {
      const code = chunk.charCodeAt(at++)
      if (code === (matched % 2 === 0 ? CR : LF)) matched++
      else matched = code === CR ? 1 : 0
    }
    this.#matched = matched
    this.#keep(chunk, from, at)
    if (matched === 4) this.#endOfHead(events)
    else if (at < chunk.length) this.#break('message-too-long', events)
    return at
  }

  #endOfHead(events: FrameEvent[]): void {
    const head = this.#joined()
    const index = indexHeaders(head, head.indexOf('\n') + 1)
    const header = nextOfKind(index, Kind.CONTENT_LENGTH)
    if (index.fault !== null) return this.#break(index.fault, events)
    // 18.3: on streams the header is a must; 7.3.1: two of them would let a second request hide in a body.
    if (header < 0) return this.#break('content-length-missing', events)
    if (nextOfKind(index, Kind.CONTENT_LENGTH, header + 1) >= 0) return this.#break('content-length-repeated', events)
    const length = readContentLength(head, index, header)
    if (length < 0) return this.#break('content-length', events)
    if (head.length + length > sipLimits.message) return this.#break('message-too-long', events)
    this.#pieces = [head]
    this.#missing = length
    if (length === 0) this.#complete(events)
    else this.#state = 'body'
  }

  #body(chunk: string, from: number, events: FrameEvent[]): number {
    const to = Math.min(chunk.length, from + this.#missing)
    this.#keep(chunk, from, to)
    this.#missing -= to - from
    if (this.#missing === 0) this.#complete(events)
    return to
  }

  #keep(chunk: string, from: number, to: number): void {
    if (to === from) return
    this.#pieces.push(chunk.slice(from, to))
    this.#length += to - from
  }

  #complete(events: FrameEvent[]): void {
    events.push({ kind: 'message', text: this.#joined() })
    this.#pieces = []
    this.#length = 0
    this.#matched = 0
    this.#state = 'between'
  }

  #joined(): string {
    return this.#pieces.length === 1 ? (this.#pieces[0] as string) : this.#pieces.join('')
  }

  #break(reason: string, events: FrameEvent[]): void {
    this.#state = 'broken'
    this.#pieces = []
    events.push({ kind: 'broken', reason })
  }
}

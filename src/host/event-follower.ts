// Follows a set's events (decision 0032) wherever they are told: at the first of its replicas that answers, and when that one dies at the
// next, from the event on that came last. Each event comes once, in order.

import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials } from './admin-client.ts'
import { BlockReader, CAUGHT_UP } from './event-format.ts'
import { SET_HEADER } from './event-streams.ts'
import { hostLimits } from './limits.ts'

export type Followed =
  /** One of the set's; `gap` among them. `data` is JSON. */
  | { readonly kind: 'event'; readonly id: string; readonly event: string; readonly data: string }
  /** So far there is no more; `id` is where that is. */
  | { readonly kind: 'caught-up'; readonly id: string }
  /** Nobody tells them at that address (any more): the next one is tried. */
  | { readonly kind: 'lost'; readonly url: string; readonly reason: string }

export interface FollowOptions {
  /** `http://HOST:PORT`, asked anew before each try. */
  urls(): readonly string[]
  /** An event's id, `start`, or null: from now on. */
  readonly after: string | null
  readonly signal?: AbortSignal | undefined
}

/** Never ends by itself. Throws if what is asked for can't be had anywhere. */
export async function* follow({ urls, after, signal }: FollowOptions): AsyncGenerator<Followed, void, undefined> {
  const isOver = (): boolean => signal?.aborted === true
  let place = after
  let set: string | null = null
  for (let turn = 0; !isOver(); turn++) {
    const known = urls()
    const url = known[turn % known.length] ?? ''
    try {
      const answer = await open(`${url}/events`, place, signal)
      const theirs = String(answer.headers[SET_HEADER.toLowerCase()])
      if (set !== null && set !== theirs)
        throw new Refused(`at ${url} is another set: ids of events mean nothing there`)
      set = theirs
      for await (const followed of read(answer)) {
        if (followed.kind !== 'lost') place = followed.id
        yield followed
      }
      yield { kind: 'lost', url, reason: 'it ended the stream' }
    } catch (error) {
      if (isOver()) return
      if (error instanceof Refused) throw error
      yield { kind: 'lost', url, reason: (error as Error).message }
    }
    // All of them once, then again a little later.
    if ((turn + 1) % known.length === 0)
      await sleep(hostLimits.eventRetryMs, undefined, { signal }).catch(() => undefined)
  }
}

/** Asking another replica wouldn't help. */
class Refused extends Error {}

async function* read(answer: IncomingMessage): AsyncGenerator<Followed, void, undefined> {
  const reader = new BlockReader(hostLimits.eventBytes)
  answer.setEncoding('utf8')
  for await (const piece of answer) {
    for (const { id, event, data, comment } of reader.push(piece as string)) {
      if (event === 'ahead') throw new Error(data)
      if (id === null) continue
      if (event !== '') yield { kind: 'event', id, event, data }
      else if (comment === CAUGHT_UP) yield { kind: 'caught-up', id }
    }
  }
}

function open(url: string, after: string | null, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const query = after === null ? '' : `?after=${after}`
    const asked = request(
      `${url}${query}`,
      { agent: false, headers: credentials(), ...(signal === undefined ? {} : { signal }) },
      (answer) => {
        if (answer.statusCode === 200) return resolve(answer)
        let text = ''
        answer.on('data', (piece) => (text += String(piece)))
        answer.on('error', reject)
        answer.on('end', () => {
          const reason = `HTTP ${answer.statusCode}: ${text.trim()}`
          reject(answer.statusCode === 503 ? new Error(reason) : new Refused(reason))
        })
      },
    )
    asked.setTimeout(hostLimits.eventSilenceMs, () => asked.destroy(new Error('it says nothing')))
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ECONNREFUSED' ? new Error('not running') : error),
    )
    asked.end()
  })
}

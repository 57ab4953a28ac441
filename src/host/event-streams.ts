// `GET /events` of a replica (decision 0032): server-sent events, for as many consumers as there may be. Each is read for as fast as it
// takes them: one answer of the replica is written, and the next one asked for once that is gone. So nothing is held for a slow one; it
// falls behind, and is told so once what it wants is not kept any more.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reply } from '../replica/effect.ts'
import { parsePlace, printPlace } from '../replica/event-reads.ts'
import type { EventPlace, EventsAnswer, EventsQuery } from '../replica/event-reads.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { index } from '../base/brand.ts'
import { isRead, sendJson } from './admin-http.ts'
import { caughtUp, eventBlock, printBlock } from './event-format.ts'
import { hostLimits } from './limits.ts'

/** The set's id, in a header: places of another set mean nothing in this one. */
export const SET_HEADER = 'Holdfast-Set'

const START: EventPlace = { index: index(0), n: 0 }

export interface EventStreamPorts {
  /** The set's id. */
  readonly set: string
  /** The replica's answer. */
  ask(query: EventsQuery): Promise<Reply>
  /** A consumer was cut off, and why. */
  cut(reason: string): void
}

export class EventStreams {
  readonly #ports: EventStreamPorts
  #consumers = 0

  constructor(ports: EventStreamPorts) {
    this.#ports = ports
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isRead(request, response)) return
    const after = readAfter(request)
    if (!after.ok) return sendJson(response, 400, { error: after.error })
    if (this.#consumers >= hostLimits.eventConsumers) {
      const error = `${hostLimits.eventConsumers} consumers follow events here already: ask another replica of the set`
      return sendJson(response, 503, { error })
    }
    this.#consumers++
    try {
      await this.#stream(request, response, after.value)
    } finally {
      this.#consumers--
    }
  }

  async #stream(request: IncomingMessage, response: ServerResponse, from: EventPlace | null): Promise<void> {
    const { ask, set } = this.#ports
    let after = from
    let waits = false
    for (;;) {
      const reply = await ask({ kind: 'events', after, waits })
      if (response.destroyed) return
      if (reply.status !== 200) return fail(response, reply)
      const answer = reply.body as EventsAnswer
      if (!response.headersSent) {
        const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', [SET_HEADER]: set }
        response.writeHead(200, headers)
        if (request.method === 'HEAD') return void response.end()
      }
      const isAhead = waits && answer.next.index > answer.applied + 1
      if (!(await this.#write(response, isAhead ? aheadText(answer) : textOf(answer)))) return
      if (isAhead) return void response.end()
      after = answer.next
      waits = answer.events.length === 0
    }
  }

  /** Whether it was taken; who takes nothing for too long is cut off. */
  #write(response: ServerResponse, text: string): Promise<boolean> {
    if (response.write(text)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#ports.cut(`it took nothing of what was written to it for ${hostLimits.eventSlowMs / 1_000} s`)
        response.destroy()
      }, hostLimits.eventSlowMs)
      const done = (isTaken: boolean) => (): void => {
        clearTimeout(timer)
        resolve(isTaken)
      }
      response.once('drain', done(true))
      response.once('close', done(false))
    })
  }
}

/** Where the consumer was: `Last-Event-ID` as a browser gives it when it comes back, or `?after=`. Null: from now on. */
export function readAfter({ headers, url = '' }: IncomingMessage): Result<EventPlace | null, string> {
  const last = headers['last-event-id']
  const given =
    typeof last === 'string' && last !== '' ? last : new URL(url, 'http://localhost').searchParams.get('after')
  if (given === null) return ok(null)
  const place = given === 'start' ? START : parsePlace(given)
  if (place !== null) return ok(place)
  return err(
    `"${given}" is no event's id: give one as it came, such as 4711.1, or after=start for the oldest that are kept`,
  )
}

function textOf({ events, next, gap }: EventsAnswer): string {
  const lost = gap === null ? '' : printBlock({ id: gap.to, event: 'gap', data: gapData(gap), comment: '' })
  const told = events.map(({ id, text }) => printBlock(eventBlock(id, text))).join('')
  return lost + (events.length > 0 ? told : printBlock(caughtUp(printPlace(next))))
}

function gapData({ from, to }: NonNullable<EventsAnswer['gap']>): string {
  const fix =
    'what came between is not kept any more: come back sooner, or have more kept (events.keep in the config file)'
  return JSON.stringify({ event: 'gap', from, to, fix })
}

/** It has waited for what this replica should have by now, if it is of this set. */
function aheadText({ next, applied }: EventsAnswer): string {
  const fix = 'this replica lags, and another one has it; or the id is of another set: then begin with after=start'
  const data = JSON.stringify({ event: 'ahead', after: printPlace(next), applied, fix })
  return printBlock({ id: null, event: 'ahead', data, comment: '' })
}

function fail(response: ServerResponse, { status, body }: Reply): void {
  if (response.headersSent) response.end()
  else sendJson(response, status, body)
}

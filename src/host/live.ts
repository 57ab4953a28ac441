// `GET /live`: the set as the page shows it, as server-sent events. While somebody looks, each replica is asked once a second, and the
// set's events are followed, once for all who look; nobody looks: nothing is asked. What goes out is bounded, however many calls there
// are: rows of replicas, sums, the next timers, and the events of the one call that a viewer looks at.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { printAddress } from './address.ts'
import type { Address } from './address.ts'
import { fetchJson } from './admin-client.ts'
import { isRead, sendJson } from './admin-http.ts'
import { follow } from './event-follower.ts'
import type { Failovers, SetFact } from './failovers.ts'
import { hostLimits } from './limits.ts'
import { LiveSample } from './live-sample.ts'
import type { Asked, Glance } from './live-sample.ts'
import type { FailoverNews, Hello, Point } from './page/shapes.ts'

export interface LivePorts {
  /** `up`, or a replica. */
  readonly name: string
  readonly set: string
  readonly sip: string
  /** What an order of the page carries; null = it may give none. */
  readonly token: string | null
  readonly failovers: Failovers
  /** Somebody tells `befell` of processes; else deaths are read from statuses. */
  readonly isTold: boolean
  replicas(): readonly { readonly id: number; readonly admin: Address }[]
  /** Of those that run, if that is known here. */
  pids(): ReadonlyMap<number, number>
}

interface Viewer {
  readonly response: ServerResponse
  /** The call that it looks at; empty = none. */
  readonly call: string
}

export class Live {
  readonly #ports: LivePorts
  readonly #viewers = new Set<Viewer>()
  #sample = new LiveSample()
  #points: readonly Point[] = []
  /** Ends what goes on while somebody looks. */
  #watch: AbortController | null = null
  #timer: NodeJS.Timeout | null = null
  #isAsking = false
  #epoch = 0

  constructor(ports: LivePorts) {
    this.#ports = ports
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    if (!isRead(request, response)) return
    if (this.#viewers.size >= hostLimits.liveViewers) {
      return sendJson(response, 503, { error: `${hostLimits.liveViewers} pages are open already` })
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    if (request.method === 'HEAD') return void response.end()
    const call = new URL(request.url ?? '/', 'http://localhost').searchParams.get('call') ?? ''
    const viewer = { response, call }
    this.#viewers.add(viewer)
    response.once('close', () => {
      this.#viewers.delete(viewer)
      if (this.#viewers.size === 0) this.close()
    })
    const { name, set, sip, token } = this.#ports
    const hello: Hello = { name, set, sip, token, points: this.#points }
    response.write('retry: 1000\n\n')
    this.#tell(viewer, 'hello', hello)
    this.#tell(viewer, 'failovers', this.#news())
    if (this.#watch === null) this.#begin()
    // Who comes later needn't wait.
    else this.#soon(0)
  }

  /** What the parent of the replicas' processes sees. */
  befell(fact: SetFact, at: number): void {
    if (!this.#ports.failovers.take(fact, at) || this.#viewers.size === 0) return
    this.#tellAll('failovers', this.#news())
    this.#soon(hostLimits.liveSoonMs)
  }

  close(): void {
    this.#watch?.abort()
    this.#watch = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #begin(): void {
    this.#sample = new LiveSample()
    this.#watch = new AbortController()
    void this.#follow(this.#watch.signal)
    void this.#ask()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const urls = (): readonly string[] => this.#ports.replicas().map(({ admin }) => `http://${printAddress(admin)}`)
    try {
      for await (const followed of follow({ urls, after: null, signal })) {
        if (followed.kind === 'event') this.#event(followed.event, followed.data)
      }
    } catch {
      // No events are kept, or all say that they can't be had: the page goes without rates of calls.
    }
  }

  #event(kind: string, data: string): void {
    const fields = JSON.parse(data) as Readonly<Record<string, unknown>>
    this.#sample.event(kind, fields)
    for (const viewer of this.#viewers) {
      if (viewer.call !== '' && viewer.call === fields['callId']) this.#tell(viewer, 'call', fields)
    }
  }

  #soon(ms: number): void {
    if (this.#watch === null || this.#isAsking) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), ms)
  }

  async #ask(): Promise<void> {
    const watch = this.#watch
    this.#isAsking = true
    const pids = this.#ports.pids()
    const asked = await Promise.all(
      this.#ports.replicas().map(async ({ id, admin }): Promise<Asked> => {
        const answer = await fetchJson(`http://${printAddress(admin)}/glance`, hostLimits.livePatienceMs)
        const pid = pids.get(id) ?? null
        if (!answer.ok) return { id, pid, glance: null, trouble: answer.error }
        const glance = answer.value as Glance
        // Each machine may call its own replica by the same loopback address.
        if (glance.status?.replica === id) return { id, pid, glance, trouble: '' }
        return { id, pid, glance: null, trouble: `out of sight: at ${printAddress(admin)} is another replica` }
      }),
    )
    this.#isAsking = false
    if (watch === null || this.#watch !== watch) return
    if (!this.#ports.isTold) this.#read(asked)
    const tick = this.#sample.take(asked, Date.now())
    this.#points = [...this.#points, tick.point].slice(-hostLimits.livePoints)
    this.#tellAll('tick', tick)
    this.#soon(hostLimits.liveMs)
  }

  /** Deaths and leaders as statuses show them. */
  #read(asked: readonly Asked[]): void {
    const at = Date.now()
    let isNew = false
    const take = (fact: SetFact): void => {
      if (this.#ports.failovers.take(fact, at)) isNew = true
    }
    for (const { id, glance, trouble } of asked) {
      if (glance === null) {
        take({ kind: 'gone', replica: id, why: trouble })
        continue
      }
      take({ kind: 'runs', replica: id })
      const { role, term, epoch, serving } = glance.status
      if (role === 'leader') take({ kind: 'leader', replica: id, term })
      if (epoch <= this.#epoch) continue
      this.#epoch = epoch
      take({ kind: 'serving', lives: serving })
    }
    if (isNew) this.#tellAll('failovers', this.#news())
  }

  #news(): FailoverNews {
    const { list, stretches } = this.#ports.failovers
    return { list, stretches }
  }

  #tellAll(event: string, data: unknown): void {
    const text = printEvent(event, data)
    for (const viewer of this.#viewers) this.#write(viewer, text)
  }

  #tell(viewer: Viewer, event: string, data: unknown): void {
    this.#write(viewer, printEvent(event, data))
  }

  /** Who doesn't read is cut off; a browser comes back by itself. */
  #write({ response }: Viewer, text: string): void {
    if (response.writableLength > hostLimits.liveQueueBytes) response.destroy()
    else response.write(text)
  }
}

function printEvent(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

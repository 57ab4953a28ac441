// A replica's admin address: reads, over HTTP, answered by the replica itself (interface.md), and what an operator asks of it.

import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Result } from '../base/result.ts'
import type { Reply } from '../replica/effect.ts'
import type { EventsQuery } from '../replica/event-reads.ts'
import type { AdminInput, InputBody } from '../replica/input.ts'
import type { Address } from './address.ts'
import { isLetIn } from './admin-token.ts'
import { applicationMetrics } from './application-metrics.ts'
import type { Applications } from './applications.ts'
import { isOrder, isRead, listen, readOrder, sendJson } from './admin-http.ts'
import { EventStreams } from './event-streams.ts'
import { readBanOrder } from './ban-order.ts'
import type { BanOrder } from './ban-order.ts'
import { hostLimits } from './limits.ts'
import type { Live } from './live.ts'
import { isAskedDirectly, pageFile, servePage } from './page-files.ts'
import { isMemberOrder, memberOrders, readMemberOrder } from './member-order.ts'
import type { MemberOrder } from './member-order.ts'
import { isMetrics, renderMetrics } from './metrics.ts'
import type { ProcessMetrics } from './metrics.ts'
import type { TraceProcess } from './trace-process.ts'

type Query = AdminInput['query']

const ORDERS = [
  'POST /drain',
  'POST /reload',
  'POST /bans/add',
  'POST /bans/remove',
  'POST /applications/reload',
  ...memberOrders.map((kind) => `POST /members/${kind}`),
]

interface Waiting {
  readonly response: ServerResponse
  readonly query: Query
  /** Starts anew with each part of the answer. */
  readonly timer: NodeJS.Timeout
  /** What the next call in a long answer follows. */
  separator: '[' | ','
}

export interface AdminPorts {
  give(input: InputBody): void
  /** The replica is to hand over, and this process to end. */
  drain(): void
  /** The config file is read anew: the options that changed, or why nothing was done. */
  reload(): Result<readonly string[], string>
  readonly applications: Pick<Applications, 'status' | 'reload'>
  readonly live: Pick<Live, 'serve' | 'close'>
  readonly trace: Pick<TraceProcess, 'ask'>
  /** The set's id. */
  readonly set: string
  /** What who asks shows; absent = nothing. */
  readonly token?: string | undefined
  /** A consumer of events was cut off. */
  cut(reason: string): void
}

export class AdminServer {
  readonly #address: Address
  readonly #metrics: ProcessMetrics
  readonly #ports: AdminPorts
  readonly #server: Server
  readonly #waiting = new Map<number, Waiting>()
  readonly #events: EventStreams
  /** Reads of events, which wait in the replica. */
  readonly #reads = new Map<number, (reply: Reply) => void>()
  #lastId = 0

  constructor(address: Address, metrics: ProcessMetrics, ports: AdminPorts) {
    this.#address = address
    this.#metrics = metrics
    this.#ports = ports
    const ask = (query: EventsQuery): Promise<Reply> => this.#read(query)
    this.#events = new EventStreams({ set: ports.set, ask, cut: (reason) => ports.cut(reason) })
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('clientError', (_error, socket) => void socket.destroy())
  }

  /** Rejects with the system's error. */
  open(): Promise<void> {
    return listen(this.#server, this.#address)
  }

  close(): void {
    this.#ports.live.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** The replica's answer. One that comes too late is dropped. */
  reply(reply: Reply): void {
    const read = this.#reads.get(reply.id)
    if (read !== undefined) {
      this.#reads.delete(reply.id)
      return read(reply)
    }
    const waiting = this.#waiting.get(reply.id)
    if (waiting === undefined) return
    const { query, response } = waiting
    const isPart = reply.next !== undefined && !isOnePage(query)
    if (isPart || response.headersSent) return this.#sendPart(waiting, reply)
    this.#waiting.delete(reply.id)
    clearTimeout(waiting.timer)
    if (reply.next !== undefined) response.setHeader('Link', `</calls?from=${reply.next}>; rel="next"`)
    if (query.kind === 'metrics' && isMetrics(reply.body)) void this.#sendMetrics(response, renderMetrics(reply.body))
    else sendJson(response, reply.status, query.kind === 'status' ? this.#withApplications(reply.body) : reply.body)
  }

  /** What the replica doesn't know of itself. */
  #withApplications(body: unknown): unknown {
    const applications = this.#ports.applications.status()
    return applications.length === 0 ? body : { ...(body as object), applications }
  }

  /** One look doesn't see all: the replica goes on with calls before the next one, which no longer waits for a barrier. All calls
   * are one array all the same, written as it comes; who doesn't read it is cut off. */
  #sendPart(waiting: Waiting, { id, status, body, next }: Reply): void {
    const { query, response } = waiting
    const goOn = (): void => {
      if (next === undefined || !this.#waiting.has(id)) return
      waiting.timer.refresh()
      setImmediate(() => this.#ports.give({ kind: 'admin', id, query: { ...query, local: true, from: next } as Query }))
    }
    // Of a single call nothing is said before all is looked at.
    if (query.kind !== 'calls' || status !== 200 || !Array.isArray(body)) return goOn()
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' })
    let text = ''
    for (const call of body) {
      text += `${waiting.separator}${JSON.stringify(call)}`
      waiting.separator = ','
    }
    if (next === undefined) {
      this.#waiting.delete(id)
      clearTimeout(waiting.timer)
      response.end(`${text}${waiting.separator === '[' ? '[' : ''}]\n`)
    } else if (text === '') goOn()
    else if (response.write(text)) goOn()
    else response.once('drain', goOn)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!isLetIn(request, response, this.#ports.token)) return
    if (request.url === '/drain') return this.#drain(request, response)
    if (request.url === '/reload') return this.#reread(request, response)
    const change = /^\/members\/([a-z]+)$/.exec(request.url ?? '')?.[1]
    if (change !== undefined && isMemberOrder(change)) return void this.#change(change, request, response)
    if (/^\/events(\?|$)/.test(request.url ?? '')) return void this.#events.serve(request, response)
    if (request.url === '/bans/add') return void this.#ban('add', request, response)
    if (request.url === '/bans/remove') return void this.#ban('remove', request, response)
    if (request.url === '/applications/reload') return void this.#reload(request, response)
    const traced = /^\/trace\/([^/?]+)$/.exec(request.url ?? '')?.[1]
    if (traced !== undefined) return void this.#trace(traced, request, response)
    const file = pageFile(request.url)
    if (file !== null) return void servePage(file, request, response)
    if (/^\/live(\?|$)/.test(request.url ?? '')) {
      if (isAskedDirectly(request, response)) this.#ports.live.serve(request, response)
      return
    }
    const query = parseQuery(request.url ?? '/')
    if (query === null) {
      const paths = [
        '/',
        '/health',
        '/status',
        '/calls',
        '/calls/CALL-ID',
        '/trace/CALL-ID',
        '/members',
        '/bans',
        '/events',
        '/metrics',
        ...ORDERS,
      ]
      return sendJson(response, 404, { error: 'there is nothing here', paths })
    }
    if (isRead(request, response)) this.#ask(query, response)
  }

  async #change(kind: MemberOrder, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOrder(request, response)) return
    const fields = await readOrder(request)
    const asked = fields.ok ? readMemberOrder(kind, fields.value) : fields
    if (asked.ok) this.#ask({ kind: 'member', request: asked.value }, response)
    else sendJson(response, 400, { ok: false, error: asked.error })
  }

  async #ban(kind: BanOrder, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOrder(request, response)) return
    const fields = await readOrder(request)
    const asked = fields.ok ? readBanOrder(kind, fields.value) : fields
    if (asked.ok) this.#ask({ kind: 'ban', request: asked.value }, response)
    else sendJson(response, 400, { ok: false, error: asked.error })
  }

  async #reload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOrder(request, response)) return
    const fields = await readOrder(request)
    if (!fields.ok) return sendJson(response, 400, { ok: false, error: fields.error })
    const { name } = fields.value
    if (typeof name !== 'string')
      return sendJson(response, 400, { ok: false, error: '"name" should be an application' })
    const reloaded = await this.#ports.applications.reload(name)
    if (reloaded.ok) sendJson(response, 200, { ok: true, ...reloaded.value })
    else sendJson(response, 409, { ok: false, error: reloaded.error })
  }

  /** From the log, by another process. */
  async #trace(encoded: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isRead(request, response)) return
    let callId: string
    try {
      callId = decodeURIComponent(encoded)
    } catch {
      return sendJson(response, 400, { error: 'that is no Call-ID in the form of a URL' })
    }
    const { status, body } = await this.#ports.trace.ask(callId)
    sendJson(response, status, body)
  }

  #ask(query: Query, response: ServerResponse): void {
    if (this.#waiting.size >= hostLimits.adminWaiting) {
      return sendJson(response, 503, { error: 'too many admin requests wait for the replica' })
    }
    const id = ++this.#lastId
    const timer = setTimeout(() => {
      this.#waiting.delete(id)
      if (response.headersSent) response.destroy()
      else sendJson(response, 503, { error: `the replica did not answer within ${hostLimits.adminMs / 1_000} s` })
    }, hostLimits.adminMs)
    this.#waiting.set(id, { response, query, timer, separator: '[' })
    response.once('close', () => {
      clearTimeout(timer)
      this.#waiting.delete(id)
    })
    this.#ports.give({ kind: 'admin', id, query })
  }

  #read(query: EventsQuery): Promise<Reply> {
    return new Promise((resolve) => {
      const id = ++this.#lastId
      this.#reads.set(id, resolve)
      this.#ports.give({ kind: 'admin', id, query })
    })
  }

  #drain(request: IncomingMessage, response: ServerResponse): void {
    if (!isOrder(request, response)) return
    sendJson(response, 202, { draining: true })
    this.#ports.drain()
  }

  #reread(request: IncomingMessage, response: ServerResponse): void {
    if (!isOrder(request, response)) return
    const read = this.#ports.reload()
    if (read.ok) sendJson(response, 200, { ok: true, changed: read.value })
    else sendJson(response, 409, { ok: false, error: read.error })
  }

  async #sendMetrics(response: ServerResponse, own: string): Promise<void> {
    const text = own + applicationMetrics(this.#ports.applications.status()) + (await this.#metrics.text())
    response.writeHead(200, { 'Content-Type': this.#metrics.contentType }).end(text)
  }
}

function parseQuery(url: string): Query | null {
  const [path = '', parameters = ''] = url.split('?', 2)
  const given = parameters.split('&')
  const local = given.includes('local=1') ? { local: true } : {}
  switch (path) {
    case '/health':
      return { kind: 'health' }
    case '/status':
      return { kind: 'status' }
    case '/calls':
      return { kind: 'calls', ...local, ...fromOf(given) }
    case '/members':
      return { kind: 'members' }
    case '/bans':
      return { kind: 'bans' }
    case '/metrics':
      return { kind: 'metrics' }
    case '/glance':
      return { kind: 'glance' }
    default:
      return parseCall(path, local)
  }
}

/** One page, from that mark of an earlier one on; without it, all. */
function fromOf(given: readonly string[]): { readonly from?: number } {
  const mark = given.map((one) => /^from=(\d{1,9})$/.exec(one)?.[1]).find((one) => one !== undefined)
  return mark === undefined ? {} : { from: Number(mark) }
}

function isOnePage(query: Query): boolean {
  return query.kind === 'calls' && query.from !== undefined
}

function parseCall(path: string, local: { readonly local?: boolean }): Query | null {
  const match = /^\/calls\/([^/]+)$/.exec(path)
  if (match === null) return null
  try {
    return { kind: 'call', callId: decodeURIComponent(match[1] ?? ''), ...local }
  } catch {
    return null
  }
}

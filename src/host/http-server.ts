// The HTTP address of a replica: requests for applications that have doHttp (decision 0036). Which application a path is, which session a
// request shows, what becomes of the cookie; all else is the replica's (replica/http.ts).

import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Server as SecureServer } from 'node:https'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { generateCookie, getCookie } from 'hono/cookie'
import type { Context, Next } from 'hono'
import type { ApplicationInfo } from '../app/contract.ts'
import { appLimits } from '../app/limits.ts'
import type { HttpAnswer, HttpReply } from '../replica/effect.ts'
import type { InputBody } from '../replica/input.ts'
import { SESSION_PARAMETER } from '../servlet/http-context.ts'
import { isLoopback, printAddress } from './address.ts'
import type { Address } from './address.ts'
import { listen } from './admin-http.ts'
import type { Certificates } from './certificates.ts'
import type { HttpConfig } from './http-config.ts'
import { hostLimits } from './limits.ts'

export interface HttpPorts {
  give(input: InputBody): void
  applications(): readonly ApplicationInfo[]
}

/** An application and where it is. */
interface Place {
  readonly application: string
  readonly prefix: string
}

export class HttpServer {
  readonly #address: Address
  readonly #config: HttpConfig
  readonly #ports: HttpPorts
  readonly #server: Server
  /** Requests that the replica has, by its number for them. */
  readonly #open = new Map<number, (answer: HttpAnswer) => void>()
  /** Bytes of the bodies of requests that have no answer yet. */
  #bodies = 0
  #last = 0

  constructor(address: Address, config: HttpConfig, certificates: Certificates | null, ports: HttpPorts) {
    this.#address = address
    this.#config = config
    this.#ports = ports
    const app = new Hono()
    app.use((c, next) => this.#admit(c, next))
    app.all('*', (c) => this.#serve(c))
    app.onError((_error, c) => said(c, 500, 'the request could not be served'))
    this.#server = serverOf(app, config.tls ? certificates : null)
    if (config.tls) certificates?.onRenewed(({ cert, key }) => secure(this.#server, cert, key))
    this.#server.maxConnections = hostLimits.httpConnections
    this.#server.maxRequestsPerSocket = hostLimits.httpRequestsAConnection
    this.#server.on('clientError', (_error, socket) => void socket.destroy())
  }

  /** Rejects with the system's error. */
  open(): Promise<void> {
    return listen(this.#server, this.#address)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Nobody is let in any more; resolves when those who are in have their answers, or have waited too long. */
  async drain(): Promise<void> {
    this.#server.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = setInterval(() => this.#open.size === 0 && resolve(), hostLimits.lookMs)
    const end = setTimeout(resolve, hostLimits.httpDrainMs)
    if (this.#open.size === 0) resolve()
    await promise
    clearInterval(look)
    clearTimeout(end)
  }

  /** One that comes too late is dropped. */
  reply({ id, answer }: HttpReply): void {
    this.#open.get(id)?.(answer)
  }

  /** Bodies are in memory until their answer: there is room for so much of them. */
  async #admit(c: Context, next: Next): Promise<Response | void> {
    const size = bodySize(c.req.raw)
    if (this.#bodies + size > hostLimits.httpBodies) {
      c.header('Retry-After', '1')
      return said(c, 503, `requests of ${hostLimits.httpBodies} bytes wait for this replica already`)
    }
    this.#bodies += size
    try {
      await next()
    } finally {
      this.#bodies -= size
    }
  }

  async #serve(c: Context): Promise<Response> {
    const url = new URL(c.req.url)
    const host = this.#hostTrouble(c.req.header('host') ?? '')
    if (host !== null) return said(c, 421, host)
    const foreign = this.#originTrouble(c)
    if (foreign !== null) return said(c, 403, foreign)
    const place = this.#placeOf(url.pathname)
    if (place === null) return said(c, 404, this.#nothingAt(url.pathname))
    const { application, prefix } = place
    if (this.#open.size >= hostLimits.httpWaiting) {
      c.header('Retry-After', '1')
      return said(c, 503, `${hostLimits.httpWaiting} requests wait for this replica already`)
    }
    const body = await bodyOf(c.req.raw)
    if (body === null) return said(c, 413, tooLarge)
    const origin = this.#config.origin ?? `${this.#config.tls ? 'https' : 'http'}://${url.host}`
    const answer = await this.#ask({
      application,
      prefix,
      cookie: getCookie(c, cookieOf(application)) ?? '',
      session: url.searchParams.get(SESSION_PARAMETER) ?? '',
      request: {
        method: c.req.raw.method,
        url: `${origin}${url.pathname}${url.search}`,
        headers: [...c.req.raw.headers],
        body,
      },
    })
    if (answer.kind === 'response') return this.#responseOf(answer, place)
    if (answer.again !== null) c.header('Retry-After', String(answer.again))
    return said(c, answer.status, answer.reason)
  }

  #ask(input: Omit<Extract<InputBody, { kind: 'http' }>, 'kind' | 'id'>): Promise<HttpAnswer> {
    const { promise, resolve } = Promise.withResolvers<HttpAnswer>()
    const id = ++this.#last
    const timer = setTimeout(() => {
      const reason = `the replica did not answer within ${hostLimits.httpMs / 1_000} s`
      this.#ports.give({ kind: 'http-gone', id })
      done({ kind: 'failed', status: 503, reason, again: 1 })
    }, hostLimits.httpMs)
    const done = (answer: HttpAnswer): void => {
      clearTimeout(timer)
      this.#open.delete(id)
      resolve(answer)
    }
    this.#open.set(id, done)
    this.#ports.give({ kind: 'http', id, ...input })
    return promise
  }

  #responseOf(
    { response, cookie }: Extract<HttpAnswer, { kind: 'response' }>,
    { application, prefix }: Place,
  ): Response {
    const headers = new Headers(response.headers.map(([name, value]): [string, string] => [name, value]))
    // What a cache keeps would be older than what this client has seen since.
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
    if (cookie !== null) {
      const isSecure = this.#config.tls || this.#config.origin?.startsWith('https:') === true
      const value = cookie.kind === 'set' ? cookie.value : ''
      const ends = cookie.kind === 'set' ? {} : { maxAge: 0 }
      const options = { path: `${prefix}/`, httpOnly: true, sameSite: 'Lax', secure: isSecure, ...ends } as const
      headers.append('set-cookie', generateCookie(cookieOf(application), value, options))
    }
    const isEmpty = response.status === 204 || response.status === 205 || response.status === 304
    return new Response(isEmpty ? null : new Uint8Array(response.body), { status: response.status, headers })
  }

  /** On loopback only this machine's own names are answered: a web page elsewhere whose name is made to lead here (DNS rebinding) could read
   * all that is shown. */
  #hostTrouble(host: string): string | null {
    if (this.#config.origin !== null || !isLoopback(this.#address.host)) return null
    const name = host
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase()
    if (name === 'localhost' || isLoopback(name)) return null
    return `this address is ${printAddress(this.#address)}: ask for it by that, or set "http": {"origin": "http://${host}"} in the config file`
  }

  /** On loopback what changes something comes from its own pages, or from no page at all: any web page that somebody on this machine looks at
   * can post a form to here, and to place a call takes no cookie. */
  #originTrouble(c: Context): string | null {
    const origin = c.req.header('origin')
    if (origin === undefined || c.req.method === 'GET' || c.req.method === 'HEAD') return null
    if (this.#config.origin !== null || !isLoopback(this.#address.host)) return null
    const own = `${this.#config.tls ? 'https' : 'http'}://${c.req.header('host') ?? ''}`
    if (origin.toLowerCase() === own.toLowerCase()) return null
    return `a page of ${origin.slice(0, 200)} may not ask here for more than to look: set "http": {"origin": "..."} in the config file to let the application decide`
  }

  /** The longest path that fits. */
  #placeOf(path: string): Place | null {
    const places = this.#places().filter(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
    return places.sort((a, b) => b.prefix.length - a.prefix.length)[0] ?? null
  }

  #places(): Place[] {
    const mapped = Object.entries(this.#config.paths).map(([path, application]) => ({
      application,
      prefix: path === '/' ? '' : path,
    }))
    const infos = this.#ports.applications().filter(({ handlers }) => handlers.includes('doHttp'))
    const names = [...new Set(infos.map(({ name }) => name))]
    return names.flatMap((application) => {
      const own = mapped.filter((place) => place.application === application)
      return own.length > 0 ? own : [{ application, prefix: `/${application}` }]
    })
  }

  #nothingAt(path: string): string {
    const places = this.#places().map(({ prefix }) => `${prefix}/`)
    if (places.length > 0) return `nothing is at ${path}; applications are at ${places.join(', ')}`
    return `nothing is at ${path}: no application of this set has doHttp`
  }
}

const tooLarge = `a request has at most ${appLimits.httpBytes} bytes`

/** What its headers say; of a body that comes in pieces, the most that is read of one. */
function bodySize({ method, headers }: Request): number {
  if (headers.has('transfer-encoding')) return appLimits.httpBytes
  const length = Number(headers.get('content-length') ?? 0)
  return method === 'GET' || method === 'HEAD' || !(length <= appLimits.httpBytes) ? 0 : length
}

/** What was sent, whether its length was said before or not (RFC 9112 6.3); null: more than may be, of which no more is read. Hono's own
 *  body-limit makes the request anew, which fails where the global Request is Node.js's (overrideGlobalObjects: false). */
async function bodyOf({ method, headers, body }: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  if (method === 'GET' || method === 'HEAD' || body === null) return new Uint8Array()
  if (Number(headers.get('content-length') ?? 0) > appLimits.httpBytes) return null
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > appLimits.httpBytes) return null
    pieces.push(piece)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function cookieOf(application: string): string {
  return `holdfast-${application}`
}

function said(c: Context, status: 403 | 404 | 413 | 421 | 500 | 503, text: string): Response {
  c.header('Cache-Control', 'no-store')
  return c.text(`${text}\n`, status)
}

/** Clients that name no host see the first certificate. */
function secure(server: Server, cert: string, key: string): void {
  if ('setSecureContext' in server) (server as SecureServer).setSecureContext({ cert, key })
}

function serverOf(app: Hono, certificates: Certificates | null): Server {
  const bounds = {
    maxHeaderSize: hostLimits.httpHeaderBytes,
    headersTimeout: hostLimits.httpHeadersMs,
    requestTimeout: hostLimits.httpRequestMs,
    keepAliveTimeout: hostLimits.httpIdleMs,
    connectionsCheckingInterval: hostLimits.sweepMs,
  }
  const common = { fetch: app.fetch, overrideGlobalObjects: false }
  if (certificates === null) return createAdaptorServer({ ...common, createServer, serverOptions: bounds }) as Server
  const { cert, key } = certificates.loaded
  const { minVersion } = certificates.tls
  const serverOptions = {
    ...{ cert, key, minVersion, ...bounds },
    SNICallback: (name: string, done: (error: Error | null, context: ReturnType<Certificates['contextFor']>) => void) =>
      done(null, certificates.contextFor(name)),
  }
  return createAdaptorServer({ ...common, createServer: createSecureServer, serverOptions }) as Server
}

// The page that an admin address shows (docs/PAGE.md): its files lie in page/ beside this one, and are served as they are. Run from a
// checkout, its modules are TypeScript, of which the types are taken out; the package has them as JavaScript.

import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { isIP } from 'node:net'
import { isRead, sendJson } from './admin-http.ts'

const FOLDER = new URL('page/', import.meta.url)

const TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['svg', 'image/svg+xml'],
])

/** Nothing but what this address serves, no script in the page, no frame around it. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
}

/** The name of the file that is asked for; null = it is none of the page's. */
export function pageFile(url: string | undefined): string | null {
  const [path = ''] = (url ?? '/').split('?', 1)
  if (path === '/') return 'index.html'
  return /^\/page\/([a-z0-9-]+\.(?:js|css|svg))$/.exec(path)?.[1] ?? null
}

export async function servePage(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isRead(request, response) || !isAskedDirectly(request, response)) return
  const type = TYPES.get(name.slice(name.lastIndexOf('.') + 1)) ?? 'text/plain'
  try {
    const text = await textOf(name)
    if (response.destroyed) return
    response.writeHead(200, { 'Content-Type': type, ...HEADERS }).end(request.method === 'HEAD' ? undefined : text)
  } catch {
    sendJson(response, 404, { error: `the page has no ${name}` })
  }
}

/** Whether it names this address itself, as people do; if not, it is told so. A web page elsewhere can have its own name lead here (DNS
 * rebinding), and would then be of one origin with this one. */
export function isAskedDirectly({ headers }: IncomingMessage, response: ServerResponse): boolean {
  if (hasPlainHost(headers.host ?? '')) return true
  sendJson(response, 403, { error: 'ask by IP address or as localhost: a name could be anybody’s' })
  return false
}

function hasPlainHost(host: string): boolean {
  const name = /^(.*?)(?::\d+)?$/.exec(host)?.[1] ?? ''
  return name === 'localhost' || isIP(name.replaceAll(/^\[|\]$/g, '')) !== 0
}

/** Whether it is an order that this page gave; if not, it is told so. Pages elsewhere don't know the token, can't read it, and have an
 * Origin of their own. */
export function isOwnOrder(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  token: string | null,
): boolean {
  const refuse = (status: number, error: string): boolean => {
    sendJson(response, status, { ok: false, error })
    return false
  }
  if (method !== 'POST') {
    response.setHeader('Allow', 'POST')
    return refuse(405, `${method} is not allowed here: only POST is`)
  }
  if (token === null) return refuse(403, 'there are no such orders here: holdfast up --lab has them')
  if (!hasPlainHost(headers.host ?? '') || (headers.origin ?? null) !== `http://${headers.host}`) {
    return refuse(403, 'this order is taken from the page of this address alone')
  }
  if (headers['holdfast-token'] === token) return true
  return refuse(403, 'the page is of an earlier start: load it again')
}

async function textOf(name: string): Promise<string> {
  const read = (file: string): Promise<string> => readFile(new URL(file, FOLDER), 'utf8')
  if (!name.endsWith('.js')) return read(name)
  try {
    return await read(name)
  } catch {
    return plainScript(await read(name.replace(/\.js$/, '.ts')))
  }
}

/** Without types, and with imports by the names that are served. */
function plainScript(source: string): string {
  return quietly(() => stripTypeScriptTypes(source)).replaceAll(/(from '\.\/[a-z0-9-]+)\.ts'/g, "$1.js'")
}

/** Node says once that taking types out is new; who runs this from source does nothing else. */
function quietly<T>(work: () => T): T {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return work()
  } finally {
    process.emitWarning = emitWarning
  }
}

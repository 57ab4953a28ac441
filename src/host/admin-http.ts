// What the admin addresses of replicas and of `up` have in common: who may ask, what comes in, how an answer leaves.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { Address } from './address.ts'
import { hostLimits } from './limits.ts'

/** Whether it asks to be shown something; if not, it is told so. */
export function isRead({ method }: IncomingMessage, response: ServerResponse): boolean {
  return isMethod(method, ['GET', 'HEAD'], response)
}

/** Whether it is an order, and given by a program; if not, it is told so. A web page that somebody on this machine looks at could
 * send one, and then it would have an Origin (Fetch Standard). */
export function isOrder({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
  if (!isMethod(method, ['POST'], response)) return false
  if (headers.origin === undefined) return true
  sendJson(response, 403, { error: 'orders are not taken from web pages: send it without an Origin header' })
  return false
}

function isMethod(method: string | undefined, allowed: readonly string[], response: ServerResponse): boolean {
  if (allowed.includes(method ?? '')) return true
  response.setHeader('Allow', allowed.join(', '))
  sendJson(response, 405, { error: `${method} is not allowed here: only ${allowed[0]} is` })
  return false
}

/** The fields of an order: a JSON object, or nothing. Never rejects. */
export function readOrder(request: IncomingMessage): Promise<Result<Readonly<Record<string, unknown>>, string>> {
  return new Promise((resolve) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      text += chunk
      if (text.length <= hostLimits.orderBytes) return
      resolve(err(`an order has at most ${hostLimits.orderBytes} bytes`))
      request.pause()
    })
    request.on('error', (error) => resolve(err(error.message)))
    request.on('end', () => resolve(parseOrder(text)))
  })
}

function parseOrder(text: string): Result<Readonly<Record<string, unknown>>, string> {
  const wanted = 'the body should be a JSON object, as {"replica":2}'
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? ok(value as Readonly<Record<string, unknown>>) : err(wanted)
  } catch {
    return err(wanted)
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

/** Rejects with the system's error; later errors are left to the server's sockets. */
export function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      resolve()
    })
  })
}

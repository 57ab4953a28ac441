// Who asks an admin address: `up` its replicas, and commands a set that runs.

import { request } from 'node:http'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { TOKEN_FILE, tokenIn } from './admin-token.ts'
import { hostLimits } from './limits.ts'

let given: string | undefined

/** All requests of this process show it. */
export function useAdminToken(token: string | undefined): void {
  given = token
}

/** What a request to an admin address shows: the token that this process was given, or that of the file that the environment
 * names. Throws a sentence for the user if that can't be read. */
export function credentials(): Readonly<Record<string, string>> {
  const path = process.env[TOKEN_FILE]
  if (given === undefined && path !== undefined && path !== '') {
    const token = tokenIn(path)
    if (!token.ok) throw new Error(token.error)
    given = token.value
  }
  return given === undefined ? {} : { Authorization: `Bearer ${given}` }
}

/** An answer of any status; `body` is what its JSON says. */
export interface AdminAnswer {
  readonly status: number
  readonly body: unknown
}

/** A page, if it is there (200). */
export async function fetchJson(
  url: string,
  patienceMs: number = hostLimits.statusMs,
): Promise<Result<unknown, string>> {
  const answer = await ask('GET', url, patienceMs)
  if (!answer.ok) return answer
  return answer.value.status === 200 ? ok(answer.value.body) : err(saidBy(answer.value))
}

/** Who is not let in is told why. */
function saidBy({ status, body }: AdminAnswer): string {
  const { error } = (body ?? {}) as { readonly error?: unknown }
  return status === 401 && typeof error === 'string' ? `HTTP 401: ${error}` : `HTTP ${status}`
}

/** Gives an order. */
export function order(
  url: string,
  fields: Readonly<Record<string, unknown>> = {},
  patienceMs: number = hostLimits.statusMs,
): Promise<Result<AdminAnswer, string>> {
  return ask('POST', url, patienceMs, JSON.stringify(fields))
}

/** Asks; in words why there is no answer. Never rejects. Not `fetch`, which refuses some ports. */
export function ask(
  method: string,
  url: string,
  patienceMs: number,
  body: string | null = null,
): Promise<Result<AdminAnswer, string>> {
  return new Promise((resolve) => {
    let headers: Readonly<Record<string, string | number>>
    try {
      headers = {
        ...credentials(),
        ...(body === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      }
    } catch (error) {
      return resolve(err((error as Error).message))
    }
    const asked = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', (error) => resolve(err(error.message)))
      response.on('end', () => resolve(parseAnswer(response.statusCode ?? 0, text)))
    })
    const timer = setTimeout(() => asked.destroy(new Error('no answer')), patienceMs)
    asked.on('close', () => clearTimeout(timer))
    asked.on('error', (error: NodeJS.ErrnoException) => {
      resolve(err(error.code === 'ECONNREFUSED' ? 'not running' : error.message))
    })
    asked.end(body ?? undefined)
  })
}

function parseAnswer(status: number, text: string): Result<AdminAnswer, string> {
  try {
    return ok({ status, body: JSON.parse(text) as unknown })
  } catch {
    return err('its answer is not JSON')
  }
}

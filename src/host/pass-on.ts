// A question that any replica can answer, asked at `up`'s own address: the first one that answers is passed on as it comes.

import { request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { credentials } from './admin-client.ts'
import { sendJson } from './admin-http.ts'
import { hostLimits } from './limits.ts'

/** `urls`: `http://HOST:PORT`, in the order in which they are tried. */
export async function passOn(
  urls: readonly string[],
  path: string,
  response: ServerResponse,
  { nobody, patienceMs = hostLimits.statusMs }: { readonly nobody: string; readonly patienceMs?: number | undefined },
): Promise<void> {
  for (const url of urls) {
    const answer = await ask(`${url}${path}`, patienceMs)
    if (answer === null) continue
    // It can't tell; another one may.
    if (answer.statusCode === 503) {
      answer.resume()
      continue
    }
    const { link } = answer.headers
    const headers = { 'Content-Type': 'application/json', ...(typeof link === 'string' ? { Link: link } : {}) }
    if (!response.headersSent) response.writeHead(answer.statusCode ?? 502, headers)
    await pipeline(answer, response).catch(() => undefined)
    return
  }
  sendJson(response, 503, { error: nobody })
}

/** Null: nobody answers there. */
function ask(url: string, patienceMs: number): Promise<IncomingMessage | null> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, headers: credentials() }, resolve)
    asked.setTimeout(patienceMs, () => asked.destroy())
    asked.on('error', () => resolve(null))
    asked.end()
  })
}

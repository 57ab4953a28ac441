// `up`'s own admin port: the statuses of all replicas in one array. And the same for who asks from outside.

import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { printAddress } from './address.ts'
import type { SetConfig } from './config.ts'
import { listen, sendJson } from './admin-server.ts'
import { hostLimits } from './limits.ts'

export class SetAdmin {
  readonly #config: SetConfig
  readonly #server: Server

  constructor(config: SetConfig) {
    this.#config = config
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0]
      if (path !== '/status') return sendJson(response, 404, { error: 'there is nothing here', paths: ['/status'] })
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD')
        return sendJson(response, 405, { error: `${request.method} is not allowed here: only GET is` })
      }
      void statuses(config).then((all) => sendJson(response, 200, all))
    })
    this.#server.on('clientError', (_error, socket) => void socket.destroy())
  }

  /** Rejects with the system's error. */
  open(): Promise<void> {
    return listen(this.#server, this.#config.admin)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** Every replica's `/status`, in order of id; of one that doesn't answer `{replica, unreachable: reason}`. */
function statuses(config: SetConfig): Promise<readonly unknown[]> {
  return Promise.all(
    config.replicas.map(async ({ id, admin }) => {
      const status = await fetchJson(`http://${printAddress(admin)}/status`)
      return status.ok ? status.value : { replica: id, unreachable: status.error }
    }),
  )
}

/** A JSON page, or in words why there is none. Never rejects. */
export async function fetchJson(url: string): Promise<{ ok: true; value: unknown } | { ok: false; error: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(hostLimits.adminMs + 500) })
    if (!response.ok) return { ok: false, error: `HTTP ${response.status}` }
    return { ok: true, value: await response.json() }
  } catch (error) {
    const { cause, name, message } = error as Error & { cause?: { code?: string } }
    if (name === 'TimeoutError') return { ok: false, error: 'no answer' }
    return { ok: false, error: cause?.code === 'ECONNREFUSED' ? 'not running' : (cause?.code ?? message) }
  }
}

// `up`'s own admin port: the statuses of all replicas in one array. And the same for who asks from outside.

import { createServer, get } from 'node:http'
import type { Server } from 'node:http'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { printAddress } from './address.ts'
import type { SetConfig } from './config.ts'
import { isRead, listen, sendJson } from './admin-server.ts'
import { hostLimits } from './limits.ts'

export class SetAdmin {
  readonly #config: SetConfig
  readonly #server: Server

  constructor(config: SetConfig) {
    this.#config = config
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0]
      if (path !== '/status') return sendJson(response, 404, { error: 'there is nothing here', paths: ['/status'] })
      if (!isRead(request, response)) return
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

/** A JSON page, or in words why there is none. Never rejects. Not `fetch`, which refuses some ports. */
export function fetchJson(url: string): Promise<Result<unknown, string>> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', (error) => resolve(err(error.message)))
      response.on('end', () =>
        resolve(response.statusCode === 200 ? parseJson(text) : err(`HTTP ${response.statusCode}`)),
      )
    })
    const timer = setTimeout(() => request.destroy(new Error('no answer')), hostLimits.statusMs)
    request.on('close', () => clearTimeout(timer))
    request.on('error', (error: NodeJS.ErrnoException) => {
      resolve(err(error.code === 'ECONNREFUSED' ? 'not running' : error.message))
    })
  })
}

function parseJson(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text) as unknown)
  } catch {
    return err('its answer is not JSON')
  }
}

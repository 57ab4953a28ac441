// Events at `up`'s own admin address: followed at the replicas, wherever they are told, and passed on as they come.

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { printPlace } from '../replica/event-reads.ts'
import type { EventPlace } from '../replica/event-reads.ts'
import { printAddress } from './address.ts'
import { sendJson } from './admin-http.ts'
import type { SetConfig } from './config.ts'
import { follow } from './event-follower.ts'
import { caughtUp, printBlock } from './event-format.ts'
import { SET_HEADER } from './event-streams.ts'
import { hostLimits } from './limits.ts'

/** Until the consumer goes. `config.replicas` are those of now: the set may change meanwhile. */
export async function passOnEvents(
  config: SetConfig,
  after: EventPlace | null,
  response: ServerResponse,
): Promise<void> {
  const over = new AbortController()
  response.once('close', () => over.abort())
  const urls = (): readonly string[] => config.replicas.map(({ admin }) => `http://${printAddress(admin)}`)
  const begin = (): void => {
    const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', [SET_HEADER]: config.set }
    if (!response.headersSent) response.writeHead(200, headers)
  }
  try {
    const from = after === null ? null : printPlace(after)
    for await (const followed of follow({ urls, after: from, signal: over.signal })) {
      if (followed.kind === 'lost') continue
      begin()
      const { id } = followed
      const block = followed.kind === 'caught-up' ? caughtUp(id) : { ...followed, comment: '' }
      if (response.write(printBlock(block))) continue
      const patience = AbortSignal.any([over.signal, AbortSignal.timeout(hostLimits.eventSlowMs)])
      await once(response, 'drain', { signal: patience }).catch(() => response.destroy())
    }
  } catch (error) {
    if (response.headersSent) response.end()
    else sendJson(response, 502, { error: (error as Error).message })
  }
}

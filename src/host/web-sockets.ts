// The package ws, loaded by a set that speaks WebSocket (RFC 7118), and by no other.

import type * as Ws from 'ws'
import type { Listener } from '../proxy/settings.ts'
import { isWebSocket } from '../sip/transport.ts'

export type WebSockets = Pick<typeof Ws, 'WebSocket' | 'WebSocketServer'>

/** Null: none of these needs it. */
export async function loadWebSockets(listeners: readonly Listener[]): Promise<WebSockets | null> {
  return listeners.some(({ transport }) => isWebSocket(transport)) ? await import('ws') : null
}

// What we use of the package ws, which comes without types of its own.

declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage } from 'node:http'
  import type { Duplex } from 'node:stream'
  import type { ConnectionOptions } from 'node:tls'

  export interface ClientOptions extends ConnectionOptions {
    readonly handshakeTimeout?: number
    readonly maxPayload?: number
    readonly perMessageDeflate?: boolean
  }

  export class WebSocket extends EventEmitter {
    constructor(address: string, protocol: string, options: ClientOptions)
    readonly readyState: 0 | 1 | 2 | 3
    readonly CONNECTING: 0
    readonly OPEN: 1
    readonly CLOSED: 3
    readonly bufferedAmount: number
    send(data: string | Uint8Array, done: (error?: Error) => void): void
    send(data: string | Uint8Array, options: { readonly binary: boolean }, done: (error?: Error) => void): void
    pause(): void
    resume(): void
    close(code?: number): void
    terminate(): void
  }

  export class WebSocketServer {
    constructor(options: {
      readonly noServer: true
      readonly clientTracking: boolean
      readonly perMessageDeflate: boolean
      readonly maxPayload: number
      handleProtocols(protocols: Set<string>): string | false
    })
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: WebSocket) => void): void
  }
}

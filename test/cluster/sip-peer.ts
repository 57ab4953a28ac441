// The npm package `sip` as a second, independent reader of what was captured. Lenient, but it shares no code with us.

import { createRequire } from 'node:module'

interface PeerMessage {
  readonly method?: string
  readonly status?: number
  readonly content: string
  readonly headers: {
    readonly via?: readonly { readonly host: string; readonly params: Readonly<Record<string, string>> }[]
    readonly 'call-id'?: string
    readonly cseq?: { readonly seq: number; readonly method: string }
    readonly 'content-length'?: number
  }
}

interface PeerLibrary {
  parse(text: string): PeerMessage | undefined
}

const library = createRequire(import.meta.url)('sip') as PeerLibrary

/** What the package finds wrong in a message; null = nothing. */
export function peerFault(text: string): string | null {
  const message = library.parse(text)
  if (message === undefined) return 'cannot be read'
  const { via, cseq, 'call-id': callId, 'content-length': length } = message.headers
  if (via === undefined || via.length === 0) return 'has no Via'
  if (via.some(({ params }) => params['branch'] === undefined)) return 'has a Via without a branch'
  if (cseq === undefined || callId === undefined) return 'has no CSeq or no Call-ID'
  if (message.method !== undefined && message.method !== cseq.method) return 'has another method in its CSeq'
  return length === undefined || length === message.content.length
    ? null
    : 'has another length than Content-Length says'
}

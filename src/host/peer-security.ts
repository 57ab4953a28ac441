// Links between replicas are encrypted, and both ends show that they know the set's secret: TLS with a pre-shared key
// (RFC 4279, with forward secrecy by RFC 5489 and ChaCha20-Poly1305 by RFC 7905). No certificates, so none that expire at
// night. The PSK identity is the set's id: who comes from another set is told apart from who has a wrong secret.
// TLS 1.2, since Node offers pre-shared keys for no other version.

import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:tls'
import type { Server, TLSSocket } from 'node:tls'
import { hostLimits } from './limits.ts'

/** What all replicas of a set know. `secret`: 64 hexadecimal digits, kept where the set's data is. */
export interface Membership {
  readonly set: string
  readonly secret: string
}

const OPTIONS = { ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

export function newSecret(): string {
  return randomBytes(32).toString('hex')
}

export function isSecret(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)
}

/** A server that gives a connection (`secureConnection`) once its far end has shown that it is of this set. `foreign`: it
 * says that it is of another one. */
export function securePeerServer({ set, secret }: Membership, foreign: (at: TLSSocket, set: string) => void): Server {
  const key = Buffer.from(secret, 'hex')
  return createServer({
    ...OPTIONS,
    noDelay: true,
    keepAlive: true,
    handshakeTimeout: hostLimits.helloMs,
    pskCallback: (socket, identity) => {
      if (identity === set) return key
      foreign(socket, /^[0-9a-f]{16}$/.test(identity) ? identity : '?')
      return null
    },
  })
}

/** The secure side of a connection that was made. Errors come as `error` events; `whyInsecure` says what they mean. */
export function securePeerClient(raw: Socket, { set, secret }: Membership): TLSSocket {
  const key = Buffer.from(secret, 'hex')
  return connect({
    ...OPTIONS,
    socket: raw,
    pskCallback: () => ({ psk: key, identity: set }),
    // There is no certificate: who knows the key is the set.
    checkServerIdentity: () => undefined,
  })
}

/** Why a handshake failed, by OpenSSL's code; null if it just ended, as when a process dies. */
export function whyInsecure(error: Error | null): { readonly code: string; readonly reason: string } | null {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? ''
  if (!code.startsWith('ERR_SSL')) return null
  if (/PSK_IDENTITY/.test(code)) return { code: 'peer-other-set', reason: 'it is of another set' }
  if (/BAD_RECORD_MAC|DECRYPT/.test(code)) {
    return {
      code: 'peer-other-secret',
      reason: 'it is of this set and has another secret: give all replicas the same config',
    }
  }
  return { code: 'peer-garbage', reason: 'it does not speak as a replica does' }
}

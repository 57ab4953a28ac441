// Who may ask an admin address that other machines can reach: who shows the admin token (RFC 6750). It stands in the config file, or in a
// file that it names. A browser, which shows no bearer token by itself, may give it as a password (RFC 7617). It is as secret as what it
// goes over: plain HTTP belongs into a network of the operator's own.

import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { resolve } from 'node:path'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { isLoopback, printAddress } from './address.ts'
import type { Address } from './address.ts'
import { sendJson } from './admin-http.ts'
import { complaintsOf } from './config-shape.ts'
import type { Shape } from './config-shape.ts'

export interface AdminTokenSetting {
  /** Whoever asks an admin address shows it; absent = all are on loopback, and whoever is on that machine may ask. */
  readonly adminToken?: string
  /** Where it was read from. */
  readonly adminTokenFile?: string
}

/** Names the file for commands. */
export const TOKEN_FILE = 'HOLDFAST_ADMIN_TOKEN_FILE'

const RIGHT = '32 to 256 letters, digits and -._~+/=, as from openssl rand -hex 32'

/** `adminToken` in a config file. */
export const ADMIN_TOKEN: Shape = { kind: 'text', right: RIGHT, pattern: /^[\w\-.~+/=]{32,256}$/, isSecret: true }

/** The token of a config file whose values were checked one by one; `folder` is that file's. */
export function readAdminToken(
  { adminToken, adminTokenFile }: AdminTokenSetting,
  folder: string,
): Result<AdminTokenSetting, string> {
  if (adminToken !== undefined && adminTokenFile !== undefined) {
    return err('adminToken and adminTokenFile: give one of them')
  }
  if (adminTokenFile === undefined) return ok(adminToken === undefined ? {} : { adminToken })
  const path = resolve(folder, adminTokenFile)
  const token = tokenIn(path)
  return token.ok ? ok({ adminToken: token.value, adminTokenFile: path }) : err(`adminTokenFile: ${token.error}`)
}

export function printAdminToken({ adminToken, adminTokenFile }: AdminTokenSetting): AdminTokenSetting {
  if (adminTokenFile !== undefined) return { adminTokenFile }
  return adminToken === undefined ? {} : { adminToken }
}

/** What is in a file that only its owner may read. */
export function tokenIn(path: string): Result<string, string> {
  try {
    const { mode } = statSync(path)
    if ((mode & 0o077) !== 0) return err(`others may read the admin token in ${path}: chmod 600 ${path}`)
    const text = readFileSync(path, 'utf8').trim()
    return complaintsOf(ADMIN_TOKEN, text, '').length === 0 ? ok(text) : err(`${path}: an admin token has ${RIGHT}`)
  } catch (error) {
    return err(`the admin token can't be read: ${(error as Error).message}`)
  }
}

/** Why an admin address can't be opened; null if it can. */
export function adminTrouble(addresses: readonly Address[], token: string | undefined): string | null {
  const open = addresses.find(({ host }) => !isLoopback(host))
  if (open === undefined || token !== undefined) return null
  return (
    `the admin address ${printAddress(open)} is off loopback, and whoever reaches it could end replicas: give an "adminToken" ` +
    '(openssl rand -hex 32) or an "adminTokenFile" in the config file, or use 127.x.y.z or [::1]'
  )
}

/** Whether it shows the token, or need not; if not, it is told so. Whether this replica is to be sent calls, everybody may ask. */
export function isLetIn(request: IncomingMessage, response: ServerResponse, token: string | undefined): boolean {
  if (token === undefined || isSame(shown(request.headers.authorization ?? ''), token)) return true
  if (request.method === 'GET' && request.url === '/health') return true
  response.setHeader('WWW-Authenticate', ['Bearer realm="holdfast"', 'Basic realm="holdfast"'])
  const error = `this address wants the admin token: Authorization: Bearer TOKEN; commands read it from the file that ${TOKEN_FILE} names`
  sendJson(response, 401, { ok: false, error })
  return false
}

function shown(authorization: string): string {
  const [scheme = '', credentials = ''] = authorization.split(' ', 2)
  if (scheme.toLowerCase() === 'bearer') return credentials
  if (scheme.toLowerCase() !== 'basic') return ''
  const text = Buffer.from(credentials, 'base64').toString('latin1')
  return text.slice(text.indexOf(':') + 1)
}

/** In a time that doesn't tell how much of it is right. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

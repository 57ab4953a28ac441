// The TCP connections that a process holds, as Linux tells them: so that a phone whose connection ended can say who held it.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LOOPBACK = '00000000000000000000000001000000'

/** `FAR OWN`, each HOST:PORT, of each connection of that process. Of IPv6 it knows the loopback address only. */
export function connectionsOf(pid: number): ReadonlySet<string> {
  const inodes = new Set<string>()
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  const found = new Set<string>()
  for (const line of ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => linesOf(path))) {
    const [, own, far, , , , , , , inode] = line.trim().split(/\s+/)
    if (own !== undefined && far !== undefined && inodes.has(inode ?? ''))
      found.add(`${addressOf(far)} ${addressOf(own)}`)
  }
  return found
}

function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'latin1').split('\n').slice(1) : []
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed meanwhile.
    return ''
  }
}

/** `0100007F:1F90`: words of four bytes, little-endian. */
function addressOf(text: string): string {
  const [host = '', port = ''] = text.split(':')
  if (host.length === 32) return `[${host === LOOPBACK ? '::1' : host}]:${Number.parseInt(port, 16)}`
  const bytes = host.match(/../g) ?? []
  return `${bytes
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.')}:${Number.parseInt(port, 16)}`
}

// The TCP connections that a process holds, as Linux tells them: so that a phone whose connection ended can say who held it.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** `FAR OWN`, each HOST:PORT, of each connection (IPv4) of that process. */
export function connectionsOf(pid: number): ReadonlySet<string> {
  const inodes = new Set<string>()
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  const found = new Set<string>()
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, own, far, , , , , , , inode] = line.trim().split(/\s+/)
    if (own !== undefined && far !== undefined && inodes.has(inode ?? ''))
      found.add(`${addressOf(far)} ${addressOf(own)}`)
  }
  return found
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed meanwhile.
    return ''
  }
}

/** `0100007F:1F90`, little-endian. */
function addressOf(text: string): string {
  const [host = '', port = ''] = text.split(':')
  const bytes = host.match(/../g) ?? []
  return `${bytes
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.')}:${Number.parseInt(port, 16)}`
}

// A phone behind an address translator that speaks datagrams is reached where its messages come from (RFC 5626 5.3), not where its
// Contact says. What a dialog keeps of that (`Party.stream`) is told from a connection by its first letter.

import type { Flow } from '../wire/entry.ts'

const MARK = '@'

/** `@<host>@<port>`. */
export function datagramBinding({ host, port }: Pick<Flow, 'host' | 'port'>): string {
  return `${MARK}${host}${MARK}${port}`
}

/** Null = it is a connection. */
export function readDatagramBinding(text: string): Flow | null {
  const [before, host, port] = text.split(MARK)
  if (before !== '' || host === undefined || port === undefined) return null
  return { transport: 'udp', host, port: Number(port), stream: '' }
}

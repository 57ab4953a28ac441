// RFC 3261 18.3 at a phone: messages out of a stream. Written apart from src/sip/stream.ts on purpose.

/** A reader of a stream's chunks: gives each whole message, or says why the stream can't be told apart any more. `pong`: an empty line
 * came, the answer to a double one (RFC 5626 4.4.1). */
export function framed(
  give: (text: string) => void,
  broken: (problem: string, rest: string) => void,
  pong: () => void = () => undefined,
): { read(chunk: string): void; closed(): void } {
  let rest = ''
  const read = (chunk: string): void => {
    rest += chunk
    for (;;) {
      const empty = /^(?:\r\n)+/.exec(rest)?.[0] ?? ''
      if (empty !== '') pong()
      rest = rest.slice(empty.length)
      const head = rest.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = /^(?:content-length|l)[ \t]*:[ \t]*([0-9]+)[ \t]*$/im.exec(rest.slice(0, head))
      if (length === null) return broken('a message on a stream has no Content-Length', rest)
      const end = head + 4 + Number(length[1])
      if (rest.length < end) return
      const text = rest.slice(0, end)
      rest = rest.slice(end)
      give(text)
    }
  }
  return { read, closed: () => undefined }
}

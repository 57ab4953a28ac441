// A command of ours against an admin address that the test answers for: what it is asked, and what it writes.

import { createServer } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Play {
  /** What was ordered, as `PATH BODY`. */
  readonly orders: readonly string[]
  run(...args: string[]): Promise<number>
}

interface Stage {
  /** Before and after each test. */
  begin(): void
  end(): void
  /** What was written since the test began. */
  readonly written: { readonly out: string; readonly errors: string }
  /** An admin address with these pages; whatever else is asked for is an order, and gets these answers, one after another. */
  play(pages: Readonly<Record<string, unknown>>, answers: readonly Answer[]): Promise<Play>
}

/** For all tests of a file, on that host. */
export function adminStage(host: string, command: (args: readonly string[]) => Promise<number>): Stage {
  const written = { out: '', errors: '' }
  const cleanups: (() => void)[] = []
  let lastPort = 8_060
  const streams = [process.stdout, process.stderr] as const
  const own = streams.map((stream) => stream.write)
  return {
    begin() {
      written.out = ''
      written.errors = ''
      process.stdout.write = (text: string | Uint8Array) => ((written.out += String(text)), true)
      process.stderr.write = (text: string | Uint8Array) => ((written.errors += String(text)), true)
    },
    end() {
      for (const [i, stream] of streams.entries()) stream.write = own[i] ?? stream.write
      for (const clean of cleanups.splice(0).reverse()) clean()
    },
    written,
    async play(pages, answers) {
      const port = ++lastPort
      const orders: string[] = []
      const left = [...answers]
      const server = createServer((request, response) => {
        let text = ''
        request.on('data', (chunk) => (text += String(chunk)))
        request.on('end', () => {
          const page = pages[request.url ?? '']
          if (page === undefined) orders.push(`${request.url} ${text}`)
          const answer = page === undefined ? left.shift() : { status: 200, body: page }
          response.writeHead(answer?.status ?? 500).end(JSON.stringify(answer?.body ?? null))
        })
      })
      await new Promise<void>((resolve) => server.listen({ host, port }, resolve))
      cleanups.push(() => server.close())
      return { orders, run: (...args) => command([...args, '--admin', `${host}:${port}`]) }
    },
  }
}

// Chromium with a page of JsSIP phones: real WebRTC sessions on made-up audio, real secure WebSockets, whose certificate is trusted
// by its key.

import { createHash, X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { until } from '../cluster/poll.ts'
import type { Arena } from './arena.ts'
import { pageScript } from './page-script.ts'

export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))

type Told =
  | { readonly kind: 'connected' | 'disconnected'; readonly phone: string }
  | { readonly kind: 'rings' | 'up' | 'asked'; readonly callId: string }
  | { readonly kind: 'over'; readonly callId: string; readonly cause: string }
  | { readonly kind: 'final'; readonly callId: string; readonly method: string; readonly status: number }

export class BrowserPage {
  readonly #page: Page
  readonly #told: Told[] = []
  /** What went over its sockets, with the time of day. */
  readonly #frames: string[] = []

  private constructor(page: Page) {
    this.#page = page
  }

  static async open(arena: Arena): Promise<BrowserPage> {
    // A page from loopback may use the microphone and connect to loopback.
    const server = createServer((request, response) => {
      const { url } = request
      response.setHeader('content-type', url === '/' ? 'text/html' : 'text/javascript')
      if (url === '/jssip.js') response.end(pageScript('jssip', 'JsSIP'))
      else if (url === '/page.js') response.end(readFileSync(join(import.meta.dirname, 'page.js')))
      else response.end('<!doctype html><script src="/jssip.js"></script><script src="/page.js"></script>')
    })
    server.listen({ host: arena.host(120), port: 8000 })
    await once(server, 'listening')
    arena.atEnd(() => void server.close())
    const key = new X509Certificate(readFileSync(join(arena.folder, 'set.pem'))).publicKey
    const pin = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('base64')
    const browser = await chromium.launch({
      executablePath: chromiumPath ?? 'chromium',
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--ignore-certificate-errors-spki-list=${pin}`,
      ],
    })
    arena.atEnd(() => browser.close())
    const page = new BrowserPage(await browser.newPage())
    await page.#load(`http://${arena.host(120)}:8000/`)
    return page
  }

  async #load(url: string): Promise<void> {
    this.#page.on('pageerror', (error) => process.stderr.write(`the page: ${error.stack ?? error.message}\n`))
    this.#page.on('websocket', (socket) => {
      const note = (arrow: string, payload: string | Buffer): void =>
        void this.#frames.push(`${new Date().toISOString().slice(11, 23)} ${arrow} ${String(payload)}`)
      socket.on('framesent', ({ payload }) => note('->', payload))
      socket.on('framereceived', ({ payload }) => note('<-', payload))
      socket.on('close', () => note('--', 'closed'))
    })
    await this.#page.exposeFunction('report', (told: Told) => void this.#told.push(told))
    await this.#page.goto(url)
  }

  /** Says `command(...words)` in the page. */
  say(
    command: 'connect' | 'call' | 'inform' | 'renegotiate' | 'hangUp',
    ...words: readonly string[]
  ): Promise<unknown> {
    return this.#page.evaluate(`${command}(${words.map((word) => JSON.stringify(word)).join(', ')})`)
  }

  /** All that was told so far and that `accept` takes. */
  told(accept: (told: Told) => boolean): readonly Told[] {
    return this.#told.filter(accept)
  }

  /** What the browser sent and received of a call: its time, its first line, its CSeq. */
  story(callId: string): readonly string[] {
    return this.#frames
      .filter((frame) => frame.includes(callId))
      .map((frame) => `${frame.slice(0, frame.indexOf('\r\n'))} ${/^CSeq: .*/im.exec(frame)?.[0].trim() ?? ''}`)
  }

  /** Whether that phone's socket is open. */
  isConnected(phone: string): boolean {
    return this.told((told) => 'phone' in told && told.phone === phone).at(-1)?.kind === 'connected'
  }

  async connected(phone: string): Promise<void> {
    await until(`${phone} is connected`, 30_000, () => (this.isConnected(phone) ? true : null))
  }

  /** It rings, or is answered: its 180 may be lost or late. */
  async rings(callId: string): Promise<void> {
    await until(`${callId} rings`, 40_000, () => {
      return this.told((told) => 'callId' in told && told.callId === callId && told.kind !== 'final').length > 0 || null
    })
  }

  /** The first thing of that kind that is told of a call, after as many as `skip`. */
  async of(callId: string, kind: 'up' | 'asked' | 'over', skip = 0): Promise<void> {
    const found = (told: Told): boolean => 'callId' in told && told.callId === callId && told.kind === kind
    await until(`${kind}: ${callId}`, 40_000, () => {
      const over = this.told((told) => told.kind === 'over' && told.callId === callId)[0]
      if (kind !== 'over' && over?.kind === 'over') throw new Error(`the call ended: ${over.cause}`)
      return this.told(found).length > skip ? true : null
    })
  }

  /** Does it, and waits for the final answer of the request that it makes. */
  async answerTo(callId: string, method: string, act: () => Promise<unknown>): Promise<number> {
    const finals = (): readonly Told[] =>
      this.told((told) => told.kind === 'final' && told.callId === callId && told.method === method)
    const before = finals().length
    await act()
    return until(`the answer to a ${method}`, 40_000, () => {
      const final = finals()[before]
      return final?.kind === 'final' ? final.status : null
    })
  }
}

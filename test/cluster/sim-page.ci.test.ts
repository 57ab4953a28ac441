// The page that `holdfast sim --html` writes, in a real browser: a failing run of one call, and a passing one of many.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitOf } from './programs.ts'
import { holdfast } from './replica-set.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
const isMissing = executablePath === undefined
if (isMissing && process.env['CI'] === undefined) console.warn('no browser: apt-get install chromium')

const root = join(import.meta.dirname, '../..')

interface Opened {
  readonly page: Page
  readonly complaints: readonly string[]
  readonly stdout: string
}

/** In CI nothing is skipped. */
describe.skipIf(isMissing && process.env['CI'] === undefined)('holdfast sim --html', () => {
  let browser: Browser
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-page-'))
    browser = await chromium.launch({ executablePath: executablePath ?? 'chromium', args: ['--no-sandbox'] })
  })
  afterAll(async () => {
    await browser.close()
    await rm(folder, { recursive: true })
  })

  /** The page of a run; what went wrong in it, and what it asked the network for. */
  async function open(args: readonly string[], code: number): Promise<Opened> {
    const file = join(folder, `${args.join('')}.html`)
    const program = holdfast(['sim', ...args, '--html', file])
    const exit = await exitOf(program, `holdfast sim ${args.join(' ')}`, 240_000)
    expect(exit.code, program.stderr()).toBe(code)
    const page = await browser.newPage({ viewport: { width: 1_300, height: 1_000 }, colorScheme: 'dark' })
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(request.url())
    })
    await page.goto(`file://${file}`)
    return { page, complaints, stdout: program.stdout() }
  }

  test('shows a planted bug: its call, its fault, and a message at the pointer', { timeout: 300_000 }, async () => {
    const { page, complaints, stdout } = await open(['--mutant', 'since-not-checked', '--seeds', '1-60'], 0)
    const verdict = await page.locator('.verdict.bad').textContent()
    expect(verdict).toContain('C8 broke at')
    expect(await page.locator('#timeline').textContent()).toContain('leader, term 1')
    expect(await page.locator('#scenario pre').textContent()).toContain('calm(')

    const invite = page.locator('#ladder .event').filter({ hasText: /^INVITE$/ })
    await invite.first().hover()
    expect(await page.locator('#detail h3').textContent()).toMatch(/^INVITE: caller to replica \d, took [\d.]+ ms$/)
    expect(await page.locator('#detail pre').textContent()).toMatch(/^INVITE sip:[\s\S]*CSeq: \d+ INVITE/)
    await invite.first().focus()
    await page.keyboard.press('ArrowDown')
    expect(await page.locator('#detail h3').textContent()).not.toMatch(/^INVITE: caller/)
    expect(complaints).toEqual([])
    await page.close()

    // The smallest plan that fails was written, and fails again.
    const plan = /--replay (failure-seed-\d+\.json) runs it again/.exec(stdout)?.[1] ?? 'no file'
    const again = holdfast(['sim', '--replay', plan])
    expect((await exitOf(again, `holdfast sim --replay ${plan}`, 60_000)).code).toBe(2)
    expect(again.stderr()).toContain('the same trace as recorded: C8 breaks')
    await rm(join(root, plan))
  })

  test(
    'shows any of many calls; the time line zooms by wheel and key; light and dark',
    { timeout: 180_000 },
    async () => {
      const { page, complaints } = await open(['--seed', '4'], 0)
      expect(await page.locator('.verdict').textContent()).toContain('Nothing broke')
      const calls = await page.locator('#call option').count()
      expect(calls).toBeGreaterThan(5)
      const ladderOf = async (call: number): Promise<string | null> => {
        await page.selectOption('#call', String(call))
        return page.locator('#ladder').textContent()
      }
      expect(await ladderOf(1)).not.toBe(await ladderOf(2))

      const axis = (): Promise<string | null> => page.locator('#timeline svg').first().textContent()
      const all = await axis()
      await page.locator('#timeline').hover()
      await page.mouse.wheel(0, -400)
      expect(await axis()).not.toBe(all)
      await page.locator('#timeline').focus()
      await page.keyboard.press('0')
      expect(await axis()).toBe(all)
      await page.keyboard.press('+')
      expect(await axis()).not.toBe(all)

      const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
      const dark = await background()
      await page.click('#theme')
      expect(await background()).not.toBe(dark)
      expect(complaints).toEqual([])
      await page.close()
    },
  )
})

// The page of a set, in a real browser: calls of SIPp are placed, each part shows them, the leader is killed by the page's own button,
// and the calls stay.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { place, startSet } from './replica-set.ts'
import type { ReplicaSet } from './replica-set.ts'
import { missingTools, startCallee, startCaller } from './sipp.ts'
import type { Sipp } from './sipp.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
const isMissing = executablePath === undefined
if (isMissing && process.env['CI'] === undefined) console.warn('no browser: apt-get install chromium')
const noTools = missingTools()

const CALLS = 30
const here = place(84)
const url = `http://${here.admin}/`

/** What axe finds wrong in the page as it is now, of some weight. */
async function faults(page: Page): Promise<readonly string[]> {
  // As the browser's own tools do it, whatever the page's policy says of scripts.
  await page.evaluate(axe.source)
  const result = await page.evaluate<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>(
    'axe.run(document)',
  )
  return result.violations.map(
    ({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`,
  )
}

/** In CI nothing is skipped. */
describe.skipIf((isMissing || noTools !== null) && process.env['CI'] === undefined)('the page of `up --lab`', () => {
  let browser: Browser
  let set: ReplicaSet
  let folder: string
  const phones: Sipp[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-page-'))
    const starting = startSet({ place: here, extra: ['--lab'], restart: 'never' })
    browser = await chromium.launch({ executablePath: executablePath ?? 'chromium', args: ['--no-sandbox'] })
    set = await starting
  })
  afterAll(async () => {
    for (const phone of phones) await phone.destroy()
    await browser.close()
    await set.destroy()
    await rm(folder, { recursive: true })
  })

  test('shows a set with its calls, kills its leader, and the calls stay', { timeout: 180_000 }, async () => {
    const page = await browser.newPage({ viewport: { width: 1_280, height: 1_000 }, colorScheme: 'light' })
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      // The call that is looked at may end between two questions.
      if (!message.text().includes('404')) complaints.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) complaints.push(request.url())
    })
    await page.goto(url)
    const text = (selector: string): Promise<string> => page.locator(selector).innerText()
    const shows = (selector: string, what: string | RegExp): Promise<void> =>
      page.locator(selector).filter({ hasText: what }).first().waitFor({ state: 'attached', timeout: 40_000 })
    await shows('#link', 'live')
    await shows('#sentence', /^3 of 3 replicas serve, replica \d leads in term \d+\. 0 calls are up\.$/)

    const scenario = (name: string, local: string) => ({
      ...{ local, folder: join(folder, name), transport: 'u1' as const, scenario: { builtIn: name } },
    })
    phones.push(await startCallee(scenario('uas', here.callee)))
    const caller = await startCaller({
      ...{ ...scenario('uac', here.caller), remote: here.sip, calls: CALLS, rate: CALLS, holdMs: 8_000 },
    })
    phones.push(caller)

    // The whole set, in words and numbers.
    await shows('#sentence', `${CALLS} calls are up`)
    // The sentence counts those that ring, too.
    await shows('#count-confirmed', new RegExp(`^${CALLS}$`))
    await shows('#plots figure:nth-child(1) .value', String(CALLS))
    expect(await page.locator('#plots svg').nth(1).getAttribute('aria-label')).toMatch(/^New calls, per second: now/)
    expect(await page.locator('#plots .line.first').count()).toBeGreaterThan(0)
    expect(await page.locator('#replica-rows tr').count()).toBe(3)
    expect(await text('#replica-rows .badge.leader')).toBe('leader')
    await shows('#timers-count', /\d+ timers? (is|are) pending/)
    expect(await page.locator('#timer-rows tr').count()).toBeGreaterThan(0)

    // One call.
    await shows('#calls-place', `of ${CALLS}`)
    await page.locator('#call-rows a').first().click()
    await shows('#call-facts', 'answered')
    await shows('#ladder .caller-set', 'INVITE')
    await shows('#ladder .callee-set', '2xx')
    await shows('#ladder .owner', /replica \d owns the call/)
    await shows('#entity-rows', /Dialog/)
    expect(await text('#entity-rows')).toMatch(/SipSession.*\tv\d+\tCONFIRMED/)
    expect(await page.locator('#call-rows tr.chosen').count()).toBe(1)
    expect(await faults(page)).toEqual([])

    // Its leader dies by the page's button, found by its name.
    const leader = set.leader
    await page.getByRole('button', { name: `Kill replica ${leader}` }).click()
    await shows('#failover-rows', `replica ${leader}, the leader`)
    await shows('#failover-rows', 'SIGKILL')
    await shows('#failover-rows td:nth-child(5)', /\d m?s$/)
    await shows('#failover-rows td:nth-child(6)', 'not yet')
    await shows('#lanes rect.gone title', `replica ${leader}: gone`)
    await shows('#replica-rows .badge.dead', 'not running')
    await shows(
      '#sentence',
      new RegExp(`^2 of 3 replicas serve, replica [^${leader}] leads in term \\d+\\. ${CALLS} calls are up`),
    )
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await faults(page)).toEqual([])

    // The calls went on, and end as they would have.
    expect(await caller.finished(30_000)).toMatchObject({ successful: CALLS, failed: 0 })
    await shows('#endings', `bye ${CALLS}`)
    await shows('#ladder .caller-set', 'BYE')
    await shows('#call-facts', 'over')
    expect(complaints).toEqual([])

    // Each replica has the page too, without the button.
    const other = set.leader
    await page.goto(`http://${set.admin(other)}/`)
    await shows('#sentence', `2 of 3 replicas serve, replica ${other} leads`)
    await shows('#where', `replica ${other} of set`)
    expect(await page.getByRole('button', { name: /^Kill/ }).count()).toBe(0)
    // Nobody is there any more: it says so, and keeps what it knew.
    set.kill(other)
    await shows('#link', 'Connection lost')
    await shows('#sentence', 'leads in term')
    await page.close()
  })
})

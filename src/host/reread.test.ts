import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SetConfig } from './config.ts'
import { rereadConfig, rereadToReload } from './reread.ts'
import { configOf, planUp, writeConfigFile } from './up-config.ts'

let folder = ''
let file = ''
let now: SetConfig

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-reread-'))
  file = join(folder, 'set.json')
  const plan = planUp(new Map([['next-hop', '127.0.0.1:5070']]))
  if (!plan.ok) throw new Error(plan.error)
  now = configOf(plan.value, { set: '0123456789abcdef', secret: '5e'.repeat(32) }, join(folder, 'data'))
  await writeConfigFile(file, now)
})
afterEach(() => rmSync(folder, { recursive: true }))

function change(fields: object): void {
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...fields }))
}

test('what may differ for a while is taken over; what the command line says wins', async () => {
  change({ nextHop: '127.0.0.1:5071', maxCall: 60, bounds: { calls: 5 } })
  const read = await rereadConfig(new Map([['config', file]]), now)
  expect(read).toMatchObject({ ok: true, value: { nextHop: { port: 5071 }, maxCall: 60, bounds: { calls: 5 } } })
  const given = new Map([
    ['config', file],
    ['next-hop', '127.0.0.1:5072'],
  ])
  expect(await rereadConfig(given, now)).toMatchObject({ ok: true, value: { nextHop: { port: 5072 }, maxCall: 60 } })
})

test('a set without a file stays as it is', async () => {
  expect(await rereadConfig(new Map(), now)).toEqual({ ok: true, value: now })
})

test.each([
  [{ sip: '127.0.0.11:5060' }, '"sip" can\'t be changed by a rolling restart; end up and start it'],
  [{ secret: '5f'.repeat(32) }, '"secret" can\'t be changed'],
  [{ replicas: [] }, 'replicas: [] should be an array'],
  [{ nextHop: 'there' }, 'nextHop: "there" is not HOST:PORT'],
  [{ applications: [{ module: './none.ts' }] }, 'the application'],
])('%o is refused: %s', async (fields, said) => {
  change(fields)
  const read = await rereadConfig(new Map([['config', file]]), now)
  expect(read.ok ? '' : read.error).toContain(said)
})

test('who is in the set is changed by members', async () => {
  const { replicas } = JSON.parse(readFileSync(file, 'utf8')) as { replicas: unknown[] }
  change({ replicas: replicas.slice(0, 2) })
  const read = await rereadConfig(new Map([['config', file]]), now)
  expect(read.ok ? '' : read.error).toContain('"replicas" can\'t be changed by a rolling restart; holdfast members')
})

describe('a reload', () => {
  const reload = () => rereadToReload(new Map([['config', file]]), now)

  test('takes over what replicas can change as they run, and says what that was', () => {
    expect(reload()).toMatchObject({ ok: true, value: { changed: [] } })
    change({
      nextHop: '127.0.0.1:5071',
      bounds: { calls: 5 },
      maxCall: 60,
      allow: ['10.0.0.0/8'],
      probe: { every: 60 },
    })
    const read = reload()
    expect(read).toMatchObject({
      ok: true,
      value: { config: { nextHop: { port: 5071 }, bounds: { calls: 5 }, maxCall: 60, allow: ['10.0.0.0/8'] } },
    })
    expect(read.ok && [...read.value.changed].sort()).toEqual(['allow', 'bounds', 'maxCall', 'nextHop', 'probe'])
  })

  test.each([
    [{ events: { keep: 5 }, maxCall: 60 }, '"events" can\'t be reloaded; restart the replicas one after another'],
    [
      { sip: '127.0.0.11:5060' },
      '"sip" can\'t be reloaded; all replicas must have that alike: end the set and start it',
    ],
    [{ nextHop: 'there' }, 'nextHop: "there" is not HOST:PORT'],
    [{ nextHop: '127.0.0.1:5070;transport=tls' }, 'the next hop is reached by tls'],
    [{ nextHop: null, followRedirects: true }, 'give --next-hop HOST:PORT'],
  ])('%o: is all or nothing', (fields, said) => {
    change(fields)
    const read = reload()
    expect(read.ok ? '' : read.error).toContain(said)
    expect(read.ok ? '' : read.error).toMatch(/^nothing was changed: /)
  })

  test('needs a file', () => {
    const read = rereadToReload(new Map(), now)
    expect(read.ok ? '' : read.error).toContain('there is no file')
  })
})

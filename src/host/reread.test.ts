import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SetConfig } from './config.ts'
import { rereadConfig } from './reread.ts'
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

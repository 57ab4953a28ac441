import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkMain } from './check-command.ts'

let folder = ''
let said = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-check-'))
  said = ''
  const take = (text: string | Uint8Array): boolean => {
    said += String(text)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(take)
  vi.spyOn(process.stderr, 'write').mockImplementation(take)
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const good = {
  $schema: './config.schema.json',
  set: '0123456789abcdef',
  secret: '5e'.repeat(32),
  sip: '127.0.0.10:5060',
  nextHop: '127.0.0.1:5070',
  admin: '127.0.0.1:8060',
  replicas: [1, 2, 3].map((id) => ({
    id,
    admin: `127.0.0.1:${8060 + id}`,
    peer: `127.0.0.1:${8160 + id}`,
    data: `data-${id}`,
  })),
}

async function check(value: unknown, ...options: string[]): Promise<number> {
  const path = join(folder, 'set.json')
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return checkMain([path, ...options])
}

test('a file that is right: exit 0, and what set it is', async () => {
  expect(await check(good)).toBe(0)
  expect(said).toContain('set.json is right: 3 replicas, SIP at 127.0.0.10:5060 (UDP and TCP), log on disk')
})

test('all that is wrong by itself is said at once, each on a line with its place', async () => {
  const [one, two] = good.replicas
  const wrong = { ...good, sip: 'here', maxCal: 5, durability: 'disk', probe: { every: 5, gracy: 1 } }
  expect(await check({ ...wrong, replicas: [one, { ...two, peer: 7, id: 0 }] }, '--json')).toBe(1)
  const { ok, complaints } = JSON.parse(said) as { ok: boolean; complaints: string[] }
  expect(ok).toBe(false)
  expect(complaints.map((text) => text.split(':')[0])).toEqual([
    'the file',
    'sip',
    'durability',
    'probe',
    'probe.every',
    'replicas[1].id',
    'replicas[1].peer',
  ])
})

test('what is wrong only together is said at once too', async () => {
  const tls = { certificates: [{ certificate: 'none.pem', key: 'none.key' }] }
  const file = { ...good, sip: '192.0.2.1:5060', nextHop: null, followRedirects: true, tls }
  expect(await check(file)).toBe(1)
  for (const text of ['it would be an open relay', 'redirections are followed', 'no address to show it at', 'none.pem'])
    expect(said).toContain(text)
  expect(said.trim().split('\n')).toHaveLength(4)
})

test('an application that cannot be loaded is a complaint', async () => {
  expect(await check({ ...good, applications: [{ module: './none.ts' }] })).toBe(1)
  expect(said).toContain('the application')
})

test.each([['{'], ['{"set": 5,}']])('%s is said to be not JSON', async (text) => {
  expect(await check(text)).toBe(1)
  expect(said).toContain('it is not JSON')
})

test('the secret is not shown', async () => {
  expect(await check({ ...good, secret: good.secret.slice(2) })).toBe(1)
  expect(said).toContain('secret: it should be 64')
  expect(said).not.toContain('5e5e')
})

test('a file that is not there: exit 1; no file: usage', async () => {
  expect(await checkMain([join(folder, 'none.json')])).toBe(1)
  expect(said).toContain("it can't be read: ENOENT")
  expect(await checkMain([])).toBe(64)
})

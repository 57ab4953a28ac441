import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkMain } from './check-command.ts'
import { initMain } from './init-command.ts'
import { makeAuthority } from './testing/certificates.ts'

let folder = ''
let file = ''
let said = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-init-'))
  file = join(folder, 'set.json')
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

const written = (): Record<string, unknown> => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

test('without options beyond the file: three replicas on this machine, which check finds right; nobody else reads it', async () => {
  expect(await initMain(['--file', file])).toBe(0)
  expect(said).toContain(`holdfast up --config ${file}`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await checkMain([file])).toBe(0)
  expect(written()).toMatchObject({
    nextHop: null,
    replicas: [1, 2, 3].map((id) => ({ id, peer: `127.0.0.1:${8160 + id}`, data: `holdfast-data/replica-${id}` })),
  })
})

test('machines, next hops and TLS', async () => {
  const { cert, key } = makeAuthority().issue({ names: ['192.0.2.10'] })
  writeFileSync(join(folder, 'own.pem'), cert)
  writeFileSync(join(folder, 'own.key'), key)
  const tls = ['--tls-cert', join(folder, 'own.pem'), '--tls-key', join(folder, 'own.key')]
  const set = ['--machines', '192.0.2.1,192.0.2.2,192.0.2.3', '--sip', '192.0.2.10:5060', '--allow', '192.0.2.0/24']
  expect(await initMain(['--file', file, ...set, '--next-hop', 'pbx.example.com', ...tls])).toBe(0)
  expect(said).toContain('192.0.2.3  holdfast start')
  expect(await checkMain([file])).toBe(0)
  expect(written()).toMatchObject({
    listen: ['192.0.2.10:5061;transport=tls'],
    tls: { certificates: [{ certificate: 'own.pem', key: 'own.key' }] },
    nextHop: 'pbx.example.com',
    allow: ['192.0.2.0/24'],
    replicas: [1, 2, 3].map((id) => ({ peer: `192.0.2.${id}:8160` })),
  })
})

test('two sets are not the same one', async () => {
  await initMain(['--file', file])
  const { set, secret } = written()
  rmSync(file)
  await initMain(['--file', file])
  expect([written()['set'], written()['secret']]).not.toEqual([set, secret])
})

test('a file that is there is left as it is', async () => {
  writeFileSync(file, 'mine')
  expect(await initMain(['--file', file])).toBe(1)
  expect(said).toContain('is there already')
  expect(readFileSync(file, 'utf8')).toBe('mine')
})

test.each([
  [['--machines', '192.0.2.1,here'], '"here" is not an IP address'],
  [['--machines', '192.0.2.1,192.0.2.1'], 'is there twice'],
  [['--sip', '192.0.2.10:5060'], 'it would be an open relay'],
  [['--next-hop', 'a b'], 'nextHop: "a b" is not HOST:PORT'],
  [['--tls-cert', 'a.pem'], 'go together'],
  [['--peer', 'x'], '--peer a port'],
])('%o: nothing is written, and %s', async (args, text) => {
  expect(await initMain(['--file', file, ...args])).toBe(64)
  expect(said).toContain(text)
  expect(existsSync(file)).toBe(false)
})

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkMain } from './check-command.ts'
import { initMain, QUESTIONS, troublesOf } from './init-command.ts'
import { ask } from './init-questions.ts'
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

test('a name for all: each machine has its own address, and DNS is to lead there', async () => {
  const set = ['--sip', 'sip.example.com:5060', '--allow', '192.0.2.0/24']
  expect(await initMain(['--file', file, ...set])).toBe(64)
  expect(said).toContain('give those with --machines')
  expect(await initMain(['--file', join(folder, 'local.json'), '--sip', 'localhost:5060'])).toBe(0)
  expect(await initMain(['--file', file, ...set, '--machines', '192.0.2.1,192.0.2.2,192.0.2.3'])).toBe(0)
  expect(said).toContain('DNS must have all of them for sip.example.com')
  expect(await checkMain([file])).toBe(0)
  expect(written()).toMatchObject({
    sip: 'sip.example.com:5060',
    replicas: [1, 2, 3].map((id) => ({ peer: `192.0.2.${id}:8160`, sip: `192.0.2.${id}` })),
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

/** What a terminal shows when these lines are typed at the questions, and what they come to. */
async function asked(typed: readonly string[], ends = false) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  let shown = ''
  output.on('data', (text: Buffer) => (shown += text.toString()))
  input.write(typed.map((line) => `${line}\n`).join(''))
  if (ends) input.end()
  const answers = await ask(QUESTIONS, new Map(), (said) => troublesOf(said, folder), { input, output })
  return { answers: answers === null ? null : Object.fromEntries(answers), shown }
}

test('each question is asked once when its answer is right; a key only where there is a certificate', async () => {
  const { answers, shown } = await asked(['', ' 127.0.0.9:5070 ', 'pbx.example.com', '', ''])
  expect(answers).toEqual({ sip: '127.0.0.9:5070', 'next-hop': 'pbx.example.com' })
  const times = QUESTIONS.map(({ text }) => shown.split(text).length - 1)
  expect(times).toEqual([1, 1, 1, 1, 1, 0])
})

test('an answer that is wrong is explained, and asked for again', async () => {
  const { cert, key } = makeAuthority().issue({ names: ['192.0.2.10'] })
  const [own, other] = [join(folder, 'own.pem'), join(folder, 'own.key')]
  writeFileSync(own, cert)
  writeFileSync(other, key)
  const machines = ['192.0.2.1,here', '192.0.2.1,192.0.2.2,192.0.2.3']
  const sip = ['nowhere', '192.0.2.10:5060']
  const hop = ['a b', '198.51.100.1:5060;transport=udp']
  const allow = ['', 'all', '192.0.2.0/24']
  // A key that is none: it may be the certificate that was meant otherwise, so both again.
  const tls = [join(folder, 'missing.pem'), own, own, own, other]
  const { answers, shown } = await asked([...machines, ...sip, ...hop, ...allow, ...tls])
  expect(answers).toEqual({
    machines: machines[1],
    ...{ sip: sip[1], 'next-hop': hop[1], allow: allow[2] },
    ...{ 'tls-cert': own, 'tls-key': other },
  })
  for (const why of ['"here" is not an IP address', 'nowhere', '"a b" is not HOST:PORT', 'open relay', 'no such file'])
    expect(shown).toContain(why)
  expect(shown).toContain('is not a private key in PEM')
})

test('input that ends is no answer', async () => {
  expect(await asked(['', ''], true)).toMatchObject({ answers: null })
})

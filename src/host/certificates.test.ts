import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { Certificates, certificateTrouble, loadCertificates } from './certificates.ts'
import type { TlsConfig } from './certificates.ts'
import { makeAuthority } from './testing/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))

const authority = makeAuthority()
const good = authority.issue({ names: ['sip.example.com', '127.0.0.1', '::1'] })
const other = authority.issue({ names: ['pbx.example.org'] })

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const paths = { certificate: file('good.pem', good.cert), key: file('good.key', good.key) }
const second = { certificate: file('other.pem', other.cert), key: file('other.key', other.key) }
const ca = file('ca.pem', authority.cert)

function tls(change: Partial<TlsConfig> = {}): TlsConfig {
  return { certificates: [paths], ca, minVersion: 'TLSv1.2', clients: 'ignore', names: {}, ...change }
}

function trouble(change: Partial<TlsConfig>): string {
  return certificateTrouble({ sip: { host: '127.0.0.1', port: 5061 }, tls: tls(change) }) ?? ''
}

test('what is wrong with a file is said with its name and with what would be right', () => {
  expect(trouble({})).toBe('')
  const pair = (change: Partial<typeof paths>): string => trouble({ certificates: [{ ...paths, ...change }] })
  const expired = authority.issue({ names: ['x'], from: -9, to: -2 })
  const early = authority.issue({ names: ['x'], from: 2 })
  expect(pair({ certificate: '/nowhere.pem' })).toMatch(/^the certificate \/nowhere\.pem can't be read: ENOENT/)
  expect(pair({ key: '/nowhere.key' })).toMatch(/^the key \/nowhere\.key can't be read: ENOENT/)
  expect(pair({ certificate: file('text', 'hello') })).toMatch(/text is not a certificate in PEM/)
  expect(pair({ key: paths.certificate })).toMatch(/good\.pem is not a private key in PEM/)
  expect(pair({ key: second.key })).toMatch(/other\.key is not that of the certificate .*good\.pem: give the two/)
  expect(pair({ certificate: file('late', expired.cert), key: file('late.key', expired.key) })).toMatch(
    /late expired on .*: put a new one there/,
  )
  expect(pair({ certificate: file('early', early.cert), key: file('early.key', early.key) })).toMatch(
    /early is not valid before .*: look at this machine's clock/,
  )
  expect(trouble({ ca: paths.key })).toMatch(/good\.key has no certificate in PEM .* of an authority/)
  expect(trouble({ ca: '/nowhere.pem' })).toMatch(/^the list of authorities \/nowhere\.pem can't be read/)
})

describe('the certificates in force', () => {
  function opened(): { certificates: Certificates; lines: string[] } {
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
    const loaded = loadCertificates(tls({ certificates: [paths, second] }), Date.now())
    if (!loaded.ok) throw new Error(loaded.error)
    return { certificates: new Certificates(tls({ certificates: [paths, second] }), loaded.value, log), lines }
  }

  test('RFC 6066 3: the one that is made out to the name that was asked for; else the first', () => {
    const { certificates } = opened()
    const [first, next] = certificates.loaded.certificates
    expect(certificates.contextFor('sip.example.com')).toBe(first.context)
    expect(certificates.contextFor('pbx.example.org')).toBe(next?.context)
    expect(certificates.contextFor('unknown.example.net')).toBe(first.context)
  })

  test('new files are taken, bad ones are said and change nothing', () => {
    const { certificates, lines } = opened()
    const heard: string[] = []
    certificates.onRenewed(({ cert }) => heard.push(cert))
    const renewed = authority.issue({ names: ['sip.example.com'] })
    file('good.pem', renewed.cert)
    certificates.reload()
    expect(heard).toEqual([])
    expect(lines.join()).toContain('the certificates stay as they were: the key')
    file('good.key', renewed.key)
    certificates.reload()
    expect(heard).toEqual([renewed.cert])
    expect(certificates.loaded.cert).toBe(renewed.cert)
    file('good.pem', good.cert)
    file('good.key', good.key)
  })
})

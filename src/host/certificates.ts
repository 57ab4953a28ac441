// The certificates of the SIP address: read, checked with words for a person, chosen by the name that a client asks for (SNI), and
// read again when their files change. What is bad then is said and the old ones stay: a half-copied file cuts nobody off.

import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createSecureContext, rootCertificates } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'
import type { SipPlaces } from './sip-addresses.ts'

export interface TlsConfig {
  /** PEM files: a certificate with those that it rests on behind it, and its key. The first is for clients that name no host. */
  readonly certificates: readonly { readonly certificate: string; readonly key: string }[]
  /** PEM file: who vouches for the far ends; null = those that Node.js trusts. */
  readonly ca: string | null
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Whether clients of TLS are asked for a certificate (a browser never is), or refused without a good one. */
  readonly clients: 'ignore' | 'ask' | 'require'
  /** What the certificates of servers that we connect to are made out to, by their address; else to the address itself. */
  readonly names: Readonly<Record<string, string>>
}

interface Certificate {
  readonly leaf: X509Certificate
  readonly context: SecureContext
}

export interface Loaded {
  readonly ca: readonly string[]
  /** The first one's. */
  readonly cert: string
  readonly key: string
  readonly certificates: readonly [Certificate, ...Certificate[]]
}

/** Reads and checks all that is named; an error says which file, what is wrong, and what would be right. */
export function loadCertificates(tls: TlsConfig, now: number): Result<Loaded, string> {
  const ca = tls.ca === null ? ok([...rootCertificates]) : readAuthorities(tls.ca)
  if (!ca.ok) return ca
  const certificates: Certificate[] = []
  const texts: { cert: string; key: string }[] = []
  for (const pair of tls.certificates) {
    const read = readPair(pair, now)
    if (!read.ok) return read
    const { cert, key, leaf } = read.value
    texts.push({ cert, key })
    certificates.push({ leaf, context: createSecureContext({ cert, key, ca: ca.value, minVersion: tls.minVersion }) })
  }
  const [first, ...others] = certificates
  const [text] = texts
  if (first === undefined || text === undefined) return err('tls.certificates names none')
  return ok({ ca: ca.value, ...text, certificates: [first, ...others] })
}

function readPair(
  files: TlsConfig['certificates'][number],
  now: number,
): Result<{ cert: string; key: string; leaf: X509Certificate }, string> {
  const cert = readText('certificate', files.certificate)
  if (!cert.ok) return cert
  const key = readText('key', files.key)
  if (!key.ok) return key
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(cert.value)
  } catch {
    return err(`the certificate ${files.certificate} is not a certificate in PEM (-----BEGIN CERTIFICATE-----)`)
  }
  const trouble = datesTrouble(leaf, now)
  if (trouble !== null) return err(`the certificate ${files.certificate} ${trouble}`)
  try {
    if (leaf.checkPrivateKey(createPrivateKey(key.value))) return ok({ cert: cert.value, key: key.value, leaf })
  } catch {
    return err(`the key ${files.key} is not a private key in PEM without a passphrase (-----BEGIN PRIVATE KEY-----)`)
  }
  return err(
    `the key ${files.key} is not that of the certificate ${files.certificate}: give the two that belong together`,
  )
}

function datesTrouble(leaf: X509Certificate, now: number): string | null {
  if (Date.parse(leaf.validTo) <= now) return `expired on ${leaf.validTo}: put a new one there`
  if (Date.parse(leaf.validFrom) > now) return `is not valid before ${leaf.validFrom}: look at this machine's clock`
  return null
}

function readAuthorities(file: string): Result<string[], string> {
  const text = readText('list of authorities', file)
  if (!text.ok) return text
  const parts = text.value.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (parts.length === 0) return err(`${file} has no certificate in PEM (-----BEGIN CERTIFICATE-----) of an authority`)
  try {
    for (const part of parts) void new X509Certificate(part)
  } catch {
    return err(`${file} has something between BEGIN CERTIFICATE and END CERTIFICATE that is none`)
  }
  return ok(parts)
}

function readText(what: string, file: string): Result<string, string> {
  try {
    return ok(readFileSync(file, 'utf8'))
  } catch (error) {
    return err(`the ${what} ${file} can't be read: ${(error as Error).message}`)
  }
}

/** Those of a set's configuration; null = it has none. */
export function openCertificates({ tls }: SipPlaces, log: Logger): Result<Certificates | null, string> {
  if (tls === undefined) return ok(null)
  const loaded = loadCertificates(tls, Date.now())
  return loaded.ok ? ok(new Certificates(tls, loaded.value, log)) : loaded
}

/** Why a set can't show its certificates; null if it can, or has none. */
export function certificateTrouble({ tls }: SipPlaces): string | null {
  const loaded = tls === undefined ? null : loadCertificates(tls, Date.now())
  return loaded === null || loaded.ok ? null : loaded.error
}

/** The certificates that are in force, kept as their files are. */
export class Certificates {
  readonly tls: TlsConfig
  readonly #log: Logger
  #loaded: Loaded
  #files = ''
  #timer: NodeJS.Timeout | null = null
  readonly #renewed: ((loaded: Loaded) => void)[] = []

  constructor(tls: TlsConfig, loaded: Loaded, log: Logger) {
    this.tls = tls
    this.#log = log
    this.#loaded = loaded
  }

  get loaded(): Loaded {
    return this.#loaded
  }

  /** The first that is made out to the name; else the first. */
  contextFor(name: string): SecureContext {
    const { certificates } = this.#loaded
    return (certificates.find(({ leaf }) => leaf.checkHost(name) !== undefined) ?? certificates[0]).context
  }

  /** Hears of each change that is good. */
  onRenewed(listener: (loaded: Loaded) => void): void {
    this.#renewed.push(listener)
  }

  watch(): void {
    void this.#look(true)
    this.#timer = setInterval(() => void this.#look(false), hostLimits.certificateCheckMs)
    this.#timer.unref()
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  async #look(isFirst: boolean): Promise<void> {
    const files = await stateOf(this.tls)
    if (files === this.#files) return
    this.#files = files
    if (!isFirst) this.reload()
  }

  reload(): void {
    const loaded = loadCertificates(this.tls, Date.now())
    if (!loaded.ok) {
      this.#log.error({ code: 'certificates-kept' }, `the certificates stay as they were: ${loaded.error}`)
      return
    }
    this.#loaded = loaded.value
    for (const listener of this.#renewed) listener(loaded.value)
    this.#log.info({ code: 'certificates-renewed' }, 'the certificates were read again')
  }
}

/** Changes when one of the files does. */
async function stateOf({ certificates, ca }: TlsConfig): Promise<string> {
  const files = [...certificates.flatMap(({ certificate, key }) => [certificate, key]), ...(ca === null ? [] : [ca])]
  const states = files.map(async (file) => {
    const found = await stat(file).catch(() => null)
    return found === null ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`
  })
  return (await Promise.all(states)).join('; ')
}

// Malformed messages of every kind that RFC 4475 has, each in words of our own, and what becomes of it. A section of that
// document may allow more than one reaction; here stands ours.

/** `relayed`: the proxy need not look there, and the callee's 200 comes back. `dropped`: it can't or must not be answered. */
export type Fate = 'relayed' | 'dropped' | 400 | 416 | 420 | 483 | 505

export interface Torture {
  /** RFC 4475's section and file name. */
  readonly section: string
  readonly fate: Fate
  /** The bytes, latin1. */
  readonly text: string
}

/** Where the phones of a test are, as `host:port`. */
export interface Ends {
  readonly sip: string
  readonly caller: string
  readonly callee: string
}

export interface Parts {
  readonly method?: string
  readonly start?: string
  /** Null = without that header. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly extra?: readonly string[]
  readonly body?: string
}

export function tortures(ends: Ends): readonly Torture[] {
  let number = 0
  const torture = (section: string, fate: Fate, parts: Parts): Torture => {
    return { section, fate, text: make(ends, ++number, parts) }
  }
  const uri = `sip:bob@${ends.callee}`
  return [
    torture('3.1.2.1 badinv01: separators that separate nothing', 400, {
      headers: { Via: `SIP/2.0/UDP ${ends.caller};;,;,,;branch=z9hG4bKseparators` },
    }),
    torture('3.1.2.2 clerr: a body shorter than Content-Length', 400, {
      headers: { 'Content-Length': '9999' },
      body: 'short',
    }),
    torture('3.1.2.3 ncl: a negative Content-Length', 400, { headers: { 'Content-Length': '-999' } }),
    torture('3.1.2.4 scalar02: a CSeq beyond 2^31', 400, { headers: { CSeq: '36893488147419103232 OPTIONS' } }),
    torture('3.1.2.5 scalarlg: a response with a CSeq beyond 2^31', 'dropped', {
      start: 'SIP/2.0 503 Service Unavailable',
      headers: { CSeq: '9292394834772304023312 OPTIONS' },
      extra: ['Retry-After: 949302838503028349304023988', 'Warning: 1812 overture "In Progress"'],
    }),
    torture('3.1.2.6 quotbal: a quote that is never closed', 400, { headers: { To: `"Mr. J. User <${uri}>` } }),
    torture('3.1.2.7 ltgtruri: <> around the Request-URI', 400, { start: `OPTIONS <${uri}> SIP/2.0` }),
    torture('3.1.2.8 lwsruri: white space within the Request-URI', 400, { start: `OPTIONS ${uri}; lr SIP/2.0` }),
    torture('3.1.2.9 lwsstart: two spaces in the request line', 400, { start: `OPTIONS  ${uri}  SIP/2.0` }),
    torture('3.1.2.10 trws: spaces at the end of the request line', 400, { start: `OPTIONS ${uri} SIP/2.0  ` }),
    torture('3.1.2.11 escruri: headers within the Request-URI', 400, {
      start: `OPTIONS ${uri}?Route=%3Csip:example.com%3E SIP/2.0`,
    }),
    torture('3.1.2.12 baddate: a time zone that SIP does not know', 'relayed', {
      extra: ['Date: Fri, 01 Jan 2010 16:00:00 EST'],
    }),
    torture('3.1.2.13 regbadct: a URI with parameters that is not in <>', 'relayed', {
      extra: [`Contact: sip:alice@${ends.caller}?Route=%3Csip:sip.example.com%3E`],
    }),
    torture('3.1.2.14 badaspec: spaces within an address', 400, {
      headers: { To: `"Watson, Thomas" < sip:t. watson@h >` },
    }),
    torture('3.1.2.15 baddn: a display name of more than tokens', 'relayed', {
      headers: { From: 'Bell, A., G. <sip:a@h>;tag=1' },
    }),
    torture('3.1.2.16 badvers: SIP/7.0', 505, { start: `OPTIONS ${uri} SIP/7.0` }),
    torture('3.1.2.17 mismatch01: another method in CSeq', 400, { headers: { CSeq: '8 INVITE' } }),
    torture('3.1.2.18 mismatch02: an unknown method, another in CSeq', 400, {
      method: 'NEWMETHOD',
      headers: { CSeq: '8 INVITE' },
    }),
    torture('3.1.2.19 bigcode: a status beyond 32 bits', 'dropped', { start: 'SIP/2.0 4294967301 better not break' }),
    torture('3.2.1 badbranch: a branch that is nothing but the cookie', 'relayed', {
      headers: { Via: `SIP/2.0/UDP ${ends.caller};branch=z9hG4bK` },
    }),
    torture('3.3.1 insuf: no Call-ID, From or To', 400, { headers: { 'Call-ID': null, From: null, To: null } }),
    torture('3.3.2 unkscm: an unknown scheme in the Request-URI', 'relayed', {
      start: 'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0',
    }),
    torture('3.3.3 novelsc: a scheme that is not for SIP', 'relayed', {
      start: 'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0',
    }),
    torture('3.3.4 unksm2: unknown schemes in other headers', 'relayed', {
      headers: { To: 'isbn:2983792873', From: '<http://www.example.com>;tag=3234233' },
      extra: ['Contact: <name:John_Smith>'],
    }),
    torture('3.3.5 bext01: extensions that the proxy must know', 420, {
      extra: ['Require: nothingSupportsThis', 'Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis'],
    }),
    torture('3.3.6 invut: an unknown type of body', 'relayed', {
      headers: { 'Content-Type': 'application/unknownformat', 'Content-Length': '10' },
      body: '<audio/>\r\n',
    }),
    torture('3.3.7 regaut01: an unknown scheme of authorization', 'relayed', {
      extra: ['Authorization: NoOneKnowsThisScheme opaque-data=here'],
    }),
    torture('3.3.8 multi01: two values for what may be one', 400, {
      extra: ['CSeq: 59 INVITE', 'Call-ID: another', 'From: <sip:b@h>;tag=2', 'Max-Forwards: 5'],
    }),
    torture('3.3.9 mcl01: two Content-Lengths', 400, { extra: ['Content-Length: 15'], body: 'is it five?' }),
    torture('3.3.10 bcast: a response whose Via is the broadcast address', 'dropped', {
      start: 'SIP/2.0 200 OK',
      headers: { Via: 'SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKbroad' },
    }),
    torture('3.3.11 zeromf: Max-Forwards 0', 483, { headers: { 'Max-Forwards': '0' } }),
    torture('3.3.12 cparam01: an unknown parameter of Contact', 'relayed', {
      extra: [`Contact: <sip:alice@${ends.caller}>;unknownparam`],
    }),
    torture('3.3.13 cparam02: an unknown parameter of its URI', 'relayed', {
      extra: [`Contact: <sip:alice@${ends.caller};unknownparam>`],
    }),
    torture('3.3.14 regescrt: an escaped header in a Contact', 'relayed', {
      extra: [`Contact: <sip:alice@${ends.caller}?Route=%3Csip:sip.example.com%3E>`],
    }),
    torture('3.3.15 sdp01: a body that nobody accepts', 'relayed', { extra: ['Accept: text/nobodyKnowsThis'] }),
    torture('3.4.1 inv2543: as RFC 2543 wrote them: no branch, no Max-Forwards, no tag', 'relayed', {
      headers: { Via: `SIP/2.0/UDP ${ends.caller}`, 'Max-Forwards': null, From: 'sip:alice@example.com' },
    }),
  ]
}

/** An OPTIONS of `caller` to `callee` by way of the set, changed. */
export function make({ sip, caller, callee }: Ends, number: number, parts: Parts): string {
  const method = parts.method ?? 'OPTIONS'
  const headers: Record<string, string | null> = {
    Via: `SIP/2.0/UDP ${caller};branch=z9hG4bKtorture${number}`,
    'Max-Forwards': '70',
    Route: `<sip:${sip};lr>, <sip:${callee};lr>`,
    From: '<sip:alice@example.com>;tag=9fxc',
    To: '<sip:bob@example.com>',
    'Call-ID': `torture-${number}`,
    CSeq: `7 ${method}`,
    'Content-Length': String(parts.body?.length ?? 0),
    ...parts.headers,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  const start = parts.start ?? `${method} sip:bob@${callee} SIP/2.0`
  return [start, ...lines, `X-Number: ${number}`, ...(parts.extra ?? []), '', parts.body ?? ''].join('\r\n')
}

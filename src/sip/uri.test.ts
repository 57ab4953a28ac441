import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Uri, equalUris, normalEscapes, parseUri, uriText } from './uri.ts'

test.each([
  ['sip:h', { kind: 'sip', secure: false, user: null, password: null, host: 'h', port: null, headers: '' }],
  ['sips:alice:secret@example.com:5061', { secure: true, user: 'alice', password: 'secret', port: 5061 }],
  ['SIP:alice@h', { kind: 'sip', user: 'alice' }],
  ['sip:alice@[2001:db8::10]:5070', { host: '2001:db8::10', port: 5070 }],
  ['sip:[2001:db8::10:5070]', { host: '2001:db8::10:5070', port: null }],
  // RFC 4475 3.1.1.9, 3.1.1.2, 3.1.1.3: what may stand before the @.
  ['sip:user;par=u%40example.net@example.com', { user: 'user;par=u%40example.net', host: 'example.com' }],
  ['sip:1_u~(be!sure)&i+t$/z?,/;;*:&i+t=1,w@h', { user: '1_u~(be!sure)&i+t$/z?,/;;*', password: '&i+t=1,w' }],
  ['sip:sips%3Auser%40example.com@example.net', { user: 'sips%3Auser%40example.com', host: 'example.net' }],
  ['sip:null-%00-null@h', { user: 'null-%00-null' }],
  ['sip:h?Subject=a&x=sip:bob%40h', { headers: 'Subject=a&x=sip:bob%40h' }],
  ['tel:+1-201-555-0123', { kind: 'other', scheme: 'tel', text: 'tel:+1-201-555-0123' }],
  ['nobodyKnowsThisScheme:opaque', { kind: 'other', scheme: 'nobodyknowsthisscheme' }],
  ['soap.beep://192.0.2.103:3002', { kind: 'other', scheme: 'soap.beep' }],
])('19.1.1: reads %s', (text, expected) => {
  expect(parseUri(text)).toMatchObject(expected)
})

test.each([
  '',
  ':',
  'sip',
  'sip:',
  'sip:@h',
  'sip::p@h',
  'sip:a@',
  'sip:a@b@c',
  'sip:2001:db8::10',
  'sip:[::1',
  'sip:[]',
  'sip:h:',
  'sip:h:65536',
  'sip:h:5o',
  'sip:h;;lr',
  'sip:h;',
  'sip:h;lr;lr',
  'sip:h;lr;%6C%72',
  'sip:h lr',
  'sip:h; lr',
  '<sip:h>',
  'sip:h\r\n',
  'sip:a"b@h',
  '1sip:h',
  'tel:',
  'sip:h/x',
])('19.1.1: refuses %j', (text) => {
  expect(parseUri(text)).toBeNull()
})

test('19.1.4: parameters are held in normal form (RFC 4475 3.1.1.3)', () => {
  const uri = parseUri('sip:cal%6Cer@h;%6C%72;n%61me=v%61lue%25%34%31;__proto__;X=%3b%0d%0a')
  expect(uri?.kind === 'sip' ? [...uri.params] : null).toEqual([
    ['lr', null],
    ['name', 'value%2541'],
    ['__proto__', null],
    ['x', '%3B%0D%0A'],
  ])
})

// Each set is one resource by 19.1.4, and different from every other set.
const SAME: readonly (readonly string[])[] = [
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
  ],
  [
    'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
    'sip:alice@atlanta.com?Priority=urgent&SUBJECT=project%20x',
  ],
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:ALICE@atlanta.com;transport=UDP'],
  ['sip:bob@biloxi.com'],
  ['sip:bob@biloxi.com:5060'],
  ['sip:bob@biloxi.com;transport=udp'],
  ['sip:bob@biloxi.com:6000;transport=tcp'],
  ['sip:carol@chicago.com?Subject=next%20meeting'],
  ['sips:bob@biloxi.com'],
  ['sip:bob:pw@biloxi.com'],
  ['sip:bob@192.0.2.4'],
  ['sip:bob@biloxi.com;maddr=239.255.255.1'],
  ['sip:bob@biloxi.com;ttl=1'],
  ['sip:biloxi.com'],
  ['tel:+12015550123', 'TEL:+12015550123'],
  ['urn:service:sos'],
]

test('19.1.4: which URIs are equal', () => {
  const all = SAME.flatMap((set, group) => set.map((text) => ({ group, text, uri: parseUri(text) as Uri })))
  const wrong = all.flatMap((a) =>
    all.filter((b) => equalUris(a.uri, b.uri) !== (a.group === b.group)).map((b) => `${a.text} | ${b.text}`),
  )
  expect(wrong).toEqual([])
})

test('19.1.4: equality is not transitive', () => {
  const [one, two, neither] = ['sip:a@h;x=1', 'sip:a@h;x=2', 'sip:a@h'].map((text) => parseUri(text) as Uri)
  expect(equalUris(one as Uri, neither as Uri) && equalUris(neither as Uri, two as Uri)).toBe(true)
  expect(equalUris(one as Uri, two as Uri)).toBe(false)
})

const uriCharacters = fc.string({ unit: fc.constantFrom(...'ab1%4F;=?&:@.[]-+/ '), maxLength: 40 })

test('normal escapes: a second pass changes nothing, and no control character comes out', () => {
  fc.assert(
    fc.property(uriCharacters, (text) => {
      const normal = normalEscapes(text)
      expect(normalEscapes(normal)).toBe(normal)
    }),
    { numRuns: 500 },
  )
  expect(normalEscapes('%0d%0A%00%7f%41')).toBe('%0D%0A%00%7FA')
})

test('what is printed reads back as an equal URI', () => {
  fc.assert(
    fc.property(uriCharacters, (rest) => {
      const uri = parseUri(`sip:${rest}`)
      if (uri === null) return
      const again = parseUri(uriText(uri))
      expect(again).toEqual(uri)
      expect(equalUris(uri, again as Uri)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

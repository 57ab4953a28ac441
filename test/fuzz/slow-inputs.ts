// Messages of 64 kB that are as costly to read as we could make them, beside a plain one of that size: a long body is cheap, so
// the plain one is headers too.

import { sipLimits } from '../../src/sip/limits.ts'
import { options } from '../../src/sip/testing/messages.ts'
import { proxied } from '../torture/proxied.ts'
import { isSlow, leastMs } from './slow.ts'

const SIZE = sipLimits.message

/** Header lines like `line`, as many as there is room for. */
function filled(line: (number: number) => string, most: number = sipLimits.headers - 10): string {
  const lines: string[] = []
  for (let room = SIZE - 400; lines.length < most;) {
    const next = line(lines.length)
    room -= next.length + 2
    if (room < 0) break
    lines.push(next)
  }
  return options({}, lines)
}

const LINE = 8_000

const slowInputs: readonly (readonly [name: string, text: string])[] = [
  ['plain: 246 headers of 256 characters', filled((i) => `X-Header-${i}: ${'word '.repeat(49)}`)],
  ['8 kB Contacts of quotes', filled(() => `Contact: ${'"'.repeat(LINE)}`)],
  ['8 kB Contacts of backslashes in quotes', filled(() => `Contact: "${'\\'.repeat(LINE)}" <sip:h>`)],
  ['8 kB Contacts of < and commas', filled(() => `Contact: ${'<,'.repeat(LINE / 2)}`)],
  ['8 kB Contacts of parameters', filled(() => `Contact: <sip:h>${';a=b'.repeat(LINE / 4)}`)],
  ['8 kB Routes of values', filled(() => `Route: ${'<sip:h;lr>,'.repeat(700)}<sip:h>`)],
  ['Routes, one a line', filled(() => `Route: <sip:user@192.0.2.1:5060;lr;transport=udp;${'x'.repeat(200)}>`)],
  ['Record-Routes of escapes', filled(() => `Record-Route: <sip:h;${'%41'.repeat(2_500)}>`)],
  ['8 kB Vias of values', filled(() => `Via: ${'SIP/2.0/UDP h,'.repeat(LINE / 14)}`)],
  ['8 kB Vias of white space', filled(() => `Via: SIP / 2.0 / UDP ${' '.repeat(LINE)}`)],
  [
    '8 kB Vias of parameters',
    filled((i) => `Via: SIP/2.0/UDP h${Array.from({ length: 900 }, (_, n) => `;p${i}-${n}`).join('')}`),
  ],
  [
    'a From of parameters',
    options({ From: `<sip:h>${Array.from({ length: 1_200 }, (_, n) => `;p${n}`).join('')};tag=a` }),
  ],
  ['a From of quoted folds', options({ From: `"${'a\r\n '.repeat(1_900)}" <sip:h>;tag=a` })],
  ['headers of folds', filled(() => `X: ${'\r\n '.repeat(85)}`)],
  ['Proxy-Require of commas', filled(() => `Proxy-Require: ${','.repeat(LINE)}`)],
  ['Proxy-Require of words', filled(() => `Proxy-Require: ${'a,'.repeat(LINE / 2)}`)],
  ['To, 16,000 times', `OPTIONS sip:h SIP/2.0\r\nv:SIP/2.0/UDP h\r\n${'t:\r\n'.repeat(16_000)}\r\n`],
  ['lines without a name', `OPTIONS sip:h SIP/2.0\r\nv:SIP/2.0/UDP h\r\n${'?\r\n'.repeat(21_000)}\r\n`],
  ['line breaks', '\r\n'.repeat(SIZE / 2)],
  ['carriage returns', `OPTIONS sip:h SIP/2.0\r\n${'\r'.repeat(SIZE - 100)}`],
  ['a start line of spaces', `OPTIONS ${' '.repeat(SIZE - 100)}SIP/2.0\r\n\r\n`],
  ['a Request-URI of at signs', options().replace('sip:bob@example.com', `sip:${'@'.repeat(LINE)}`)],
  [
    'a Request-URI of parameters',
    options().replace('sip:bob@example.com', `sip:h${Array.from({ length: 1_200 }, (_, n) => `;p${n}`).join('')}`),
  ],
  ['a Request-URI of escapes', options().replace('sip:bob@example.com', `sip:h?${'%41&'.repeat(LINE / 4)}`)],
]

/** What the proxy's whole work on each costs, as a table, and which cost too much. */
export function slowTable(): { readonly text: string; readonly slow: readonly string[] } {
  const measured = slowInputs.map(([name, text]) => ({ name, text, ms: leastMs(() => proxied(text)) }))
  const [plain] = measured
  const perCharacter = plain === undefined ? 1 : plain.ms / plain.text.length
  const rows = measured.map(({ name, text, ms }) => {
    const outcome = proxied(text)
    const became = outcome.kind === 'answered' ? `${outcome.status}` : outcome.kind
    const beside = (ms / (perCharacter * text.length)).toFixed(1)
    return `| ${name} | ${text.length} | ${became} | ${ms.toFixed(3)} | ${beside} |\n`
  })
  return {
    text: `| message | characters | becomes | ms | beside a plain one of its size |\n|---|---|---|---|---|\n${rows.join('')}`,
    slow: measured.filter(({ text, ms }) => isSlow(ms, () => proxied(text))).map(({ name }) => name),
  }
}

// What may reach the MessagePack decoder: one walk over the tokens, in linear time and constant stack, that lets through
// nil, booleans, numbers, strings, byte strings, arrays, and either records of known structures or maps with string keys.
// No extension, no record definition, no nesting or count beyond the bounds, and no byte too few or too many.
// (MessagePack specification, "Formats".)

/** Bytes of one value: above the largest commit or batch of entries, far below what hurts. */
export const MOST_BYTES = 32 * 1024 * 1024
/** Nesting of arrays, maps and records: our deepest shape has 6. */
const MOST_DEPTH = 32
/** Values in all: each costs memory beyond its bytes. */
const MOST_VALUES = 1024 * 1024

/** Why `bytes` from `head` on are not one value; null = they are. `widths[i]` is the number of fields of record i; with none,
 * maps are allowed instead and 0x40 to 0x7f are numbers. */
export function gate(bytes: Uint8Array, widths: readonly number[], head = 0): string | null {
  if (bytes.length - head > MOST_BYTES) return 'too many bytes'
  const walk: Walk = { bytes, widths, at: head, fault: null }
  const left: number[] = [1]
  const keyed: boolean[] = [false]
  let values = 0
  while (left.length > 0) {
    const top = left.length - 1
    const remaining = left[top] as number
    if (remaining === 0) {
      left.pop()
      keyed.pop()
      continue
    }
    left[top] = remaining - 1
    if (++values > MOST_VALUES) return 'too many values'
    // A map's items are key, value, key, value: an even number left means a key is next.
    if (keyed[top] === true && remaining % 2 === 0 && !keyAllowed(walk))
      return walk.fault ?? 'a key that is not allowed'
    const inner = token(walk)
    if (walk.fault !== null) return walk.fault
    if (inner === 0) continue
    if (left.length === MOST_DEPTH) return 'nested too deep'
    left.push(Math.abs(inner))
    keyed.push(inner < 0)
  }
  return walk.at === bytes.length ? null : 'bytes after the value'
}

interface Walk {
  readonly bytes: Uint8Array
  readonly widths: readonly number[]
  at: number
  fault: string | null
}

/** Passes one token and its text or bytes; how many values it holds, negative for a map. */
function token(walk: Walk): number {
  const first = walk.bytes[walk.at]
  if (first === undefined) return fail(walk, 'ends too early')
  walk.at++
  if (first < 0x40 || first >= 0xe0) return 0
  if (first < 0x80) return walk.widths.length === 0 ? 0 : (walk.widths[first - 0x40] ?? fail(walk, 'an unknown record'))
  if (first < 0x90) return map(walk, first - 0x80)
  if (first < 0xa0) return first - 0x90
  if (first < 0xc0) return skip(walk, first - 0xa0)
  switch (first) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 0
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return skip(walk, length(walk, 1))
    case 0xc5: // bin 16
    case 0xda: // str 16
      return skip(walk, length(walk, 2))
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return skip(walk, length(walk, 4))
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return skip(walk, 1)
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return skip(walk, 2)
    case 0xce: // uint 32
    case 0xd2: // int 32
      return skip(walk, 4)
    case 0xcb: // float 64
      return skip(walk, 8)
    case 0xdc: // array 16
      return array(walk, length(walk, 2))
    case 0xdd: // array 32
      return array(walk, length(walk, 4))
    case 0xde: // map 16
      return map(walk, length(walk, 2))
    case 0xdf: // map 32
      return map(walk, length(walk, 4))
    default:
      // Extensions, float 32, 64-bit integers (they would become bigint), and 0xc1: never packed here.
      return fail(walk, 'a type that is not allowed')
  }
}

function fail(walk: Walk, fault: string): number {
  walk.fault ??= fault
  return 0
}

function length(walk: Walk, size: 1 | 2 | 4): number {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + (walk.bytes[walk.at + i] ?? 0)
  walk.at += size
  return value
}

function skip(walk: Walk, size: number): number {
  walk.at += size
  return walk.at > walk.bytes.length ? fail(walk, 'ends too early') : 0
}

/** An item takes a byte at least: a length beyond the bytes is refused before anything is allocated for it. */
function array(walk: Walk, items: number): number {
  return items > walk.bytes.length - walk.at ? fail(walk, 'ends too early') : items
}

function map(walk: Walk, pairs: number): number {
  if (walk.widths.length > 0) return fail(walk, 'a map')
  return -array(walk, 2 * pairs)
}

const PROTO = [...'__proto__'].map((character) => character.charCodeAt(0))

/** Keys are strings, and not the one that names an object's prototype. */
function keyAllowed(walk: Walk): boolean {
  const first = walk.bytes[walk.at] ?? 0
  const header = first >= 0xa0 && first < 0xc0 ? 1 : (KEY_HEADERS.get(first) ?? 0)
  if (header === 0) return false
  // Longer than its header says, or cut off, the key is judged by the token that follows here.
  const at = walk.at + header
  return PROTO.some((code, i) => walk.bytes[at + i] !== code)
}

/** Bytes before a key's text: str 8, 16 and 32. */
const KEY_HEADERS = new Map([
  [0xd9, 2],
  [0xda, 3],
  [0xdb, 5],
])

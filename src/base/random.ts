// Randomness is an argument: a generator made from a seed (xoshiro128**, Blackman and Vigna 2018; seeded by splitmix32).

export interface Random {
  /** An integer in [0, bound), bound in 1..2^32. */
  below(bound: number): number
}

export function random(seed: number): Random {
  let mixed = seed >>> 0
  const next = (): number => {
    mixed = (mixed + 0x9e3779b9) >>> 0
    let z = mixed
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  let a = next()
  let b = next()
  let c = next()
  let d = next()
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
  return {
    below(bound) {
      const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
      const t = b << 9
      c ^= a
      d ^= b
      b ^= c
      a ^= d
      c ^= t
      d = rotate(d, 11)
      return Math.floor((result / 0x1_0000_0000) * bound)
    },
  }
}

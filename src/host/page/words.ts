// Numbers and times as the page writes them.

/** 0.82 s, 5.6 s, 120 ms. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)} s`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Deletions wait a little, so that many go together. */
export function soon(ms: number): string {
  return ms < 50 ? 'now' : `in ${duration(ms)}`
}

/** 14:02:11, by the clock of who looks. */
export function clock(ms: number): string {
  const date = new Date(ms)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** 14:02:11.042 */
export function exactClock(ms: number): string {
  return `${clock(ms)}.${String(Math.floor(ms) % 1_000).padStart(3, '0')}`
}

/** 0.25, 3.4, 57, 12,345. */
export function amount(value: number): string {
  if (value >= 10 || Number.isInteger(value)) return grouped(Math.round(value))
  return value >= 1 ? value.toFixed(1) : value.toFixed(2)
}

export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

export function plural(count: number, one: string, many: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** The replica of a life, `2.9f3c.1`; null = nobody. Of its later generations the id is its place and some thousands (base/brand.ts). */
export function replicaOfLife(life: string | null): number | null {
  const id = Number.parseInt(life ?? '', 10)
  return Number.isNaN(id) ? null : id % 1_000
}

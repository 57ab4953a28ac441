// Fields of the config file, checked: every complaint names the place.

export class ConfigError extends Error {}

export function fields(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(place, value, 'an object')
  return value as Record<string, unknown>
}

export function only(value: Record<string, unknown>, known: readonly string[], place: string): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new ConfigError(`${place}: unknown "${unknown}"; known are ${known.join(', ')}`)
}

export function wrong(place: string, value: unknown, right: string): never {
  throw new ConfigError(`${place}: ${JSON.stringify(value) ?? 'it is missing'} should be ${right}`)
}

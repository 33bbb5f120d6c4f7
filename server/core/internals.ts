import { internalsFromEnvironment } from './config.ts'

type Values = { [name: string]: number | Values }
/** Some of the values of a group. */
export type PartialInternals<T> = { [K in keyof T]?: T[K] extends number ? number : PartialInternals<T[K]> }

/**
 * Named constants of one part of the program that no administrator decides, beside the code that uses them: limits, intervals (ms), sizes
 * (bytes).
 * Tests change them with `overrideInternals`, those of other processes through the environment (`internalsFromEnvironment`), by the group's
 * name.
 */
export function defineInternals<const T extends Values>(group: string, values: T): WidenNumbers<T> {
  const internals = structuredClone(values) as WidenNumbers<T>
  const given = internalsFromEnvironment[group]
  if (given) assign(internals as Values, given as Values, group)
  return internals
}

/** `32` becomes `number`. */
export type WidenNumbers<T> = { [K in keyof T]: T[K] extends number ? number : WidenNumbers<T[K]> }

/** Changes internals of this process; for tests. Throws where there is no such name. */
export function overrideInternals<T extends object>(internals: T, values: PartialInternals<T>): void {
  assign(internals as unknown as Values, values as Values, 'internals')
}

function assign(target: Values, source: Values, path: string): void {
  for (const [name, value] of Object.entries(source)) {
    const existing = target[name]
    if (existing === undefined || typeof existing !== typeof value)
      throw new Error(`${path}.${name} is not an internal, or of another type`)
    if (typeof value === 'object') assign(existing as Values, value, `${path}.${name}`)
    else target[name] = value
  }
}

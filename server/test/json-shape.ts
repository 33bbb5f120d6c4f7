/**
 * Returns the paths of a recorded response that are missing or of another JSON type in `ours`; [] if `ours` has the recorded shape.
 * Null matches any type on both sides, a list is compared by its first element, and additional keys are allowed.
 */
export function findJsonShapeDifferences(recorded: unknown, ours: unknown, path = ''): string[] {
  if (recorded === null || ours === null) return []
  if (jsonType(recorded) !== jsonType(ours)) return [`${path || 'the answer'}: ${jsonType(ours)} instead of ${jsonType(recorded)}`]
  if (Array.isArray(recorded))
    return recorded.length === 0 || (ours as unknown[]).length === 0
      ? []
      : findJsonShapeDifferences(recorded[0], (ours as unknown[])[0], `${path}[0]`)
  if (typeof recorded !== 'object') return []
  return Object.entries(recorded).flatMap(([key, value]) => {
    const keyPath = path ? `${path}.${key}` : key
    return Object.hasOwn(ours as object, key)
      ? findJsonShapeDifferences(value, (ours as Record<string, unknown>)[key], keyPath)
      : [`${keyPath}: missing`]
  })
}

function jsonType(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value
}

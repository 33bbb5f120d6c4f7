/**
 * What of a recorded answer is missing or of another JSON type in ours, as paths; [] when ours has the recorded shape.
 * Null stands for any type on both sides, a list is judged by its first element, and further keys are welcome.
 */
export function findJsonShapeDifferences(recorded: unknown, ours: unknown, path = ''): string[] {
  if (recorded === null || ours === null) return []
  if (kind(recorded) !== kind(ours)) return [`${path || 'the answer'}: ${kind(ours)} instead of ${kind(recorded)}`]
  if (Array.isArray(recorded))
    return recorded.length === 0 || (ours as unknown[]).length === 0
      ? []
      : findJsonShapeDifferences(recorded[0], (ours as unknown[])[0], `${path}[0]`)
  if (typeof recorded !== 'object') return []
  return Object.entries(recorded).flatMap(([key, value]) => {
    const place = path ? `${path}.${key}` : key
    return Object.hasOwn(ours as object, key)
      ? findJsonShapeDifferences(value, (ours as Record<string, unknown>)[key], place)
      : [`${place}: missing`]
  })
}

function kind(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value
}

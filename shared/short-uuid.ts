const ALPHABET = '123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const SHORT = /^[1-9a-km-zA-HJ-NP-Z]{16,22}$/

/** Encodes a UUID as a short UUID of 22 characters (Flickr's base 58, as PeerTube does). */
export function shortUuid(uuid: string): string {
  let rest = BigInt('0x' + uuid.replaceAll('-', ''))
  let short = ''
  do {
    short = ALPHABET[Number(rest % 58n)]! + short
    rest /= 58n
  } while (rest > 0n)
  return short.padStart(22, ALPHABET[0])
}

/** Returns the UUID of a UUID or a short UUID; null for anything else. */
export function longUuid(id: string): string | null {
  if (UUID.test(id)) return id.toLowerCase()
  if (!SHORT.test(id)) return null
  const number = [...id].reduce((sum, character) => sum * 58n + BigInt(ALPHABET.indexOf(character)), 0n)
  const hex = number.toString(16).padStart(32, '0')
  if (hex.length > 32) return null
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

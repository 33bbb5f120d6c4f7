import { Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'

/** Names of the people and services that run a site, and those that stand for nobody: whoever has one could pass for them. */
const RESERVED_NAMES = [
  'abuse',
  'admin',
  'administration',
  'administrator',
  'administrators',
  'admins',
  'anonymous',
  'api',
  'bobine',
  'contact',
  'everybody',
  'everyone',
  'help',
  'helpdesk',
  'hostmaster',
  'info',
  'instance',
  'legal',
  'me',
  'mod',
  'moderation',
  'moderator',
  'moderators',
  'mods',
  'myself',
  'noreply',
  'nobody',
  'null',
  'official',
  'operator',
  'owner',
  'peertube',
  'postmaster',
  'privacy',
  'root',
  'security',
  'self',
  'server',
  'service',
  'staff',
  'superuser',
  'support',
  'sysadmin',
  'system',
  'team',
  'undefined',
  'webmaster',
  'www'
]

/** Digits and letters that are read as another letter. */
const LOOKALIKES: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g', l: 'i' }

const lookOf = (name: string): string =>
  name
    .replaceAll(/[l\d]/g, letter => LOOKALIKES[letter] ?? letter)
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
const RESERVED_LOOKS = new Set(RESERVED_NAMES.map(lookOf))

/** Whether a name is reserved, or looks like one that is: in capitals, with dots, dashes, underscores, digits in it or after it. */
export function isReservedName(name: string): boolean {
  const letters = name.toLowerCase().replaceAll(/[^a-z\d]/g, '')
  return [letters, letters.replace(/\d+$/, ''), letters.replaceAll(/\d/g, '')].some(one => RESERVED_LOOKS.has(lookOf(one)))
}

/** Whether somebody may give this name to an account or a channel: a reserved one only an administrator. */
export const mayGiveName = (viewer: Viewer | null, name: string): boolean => viewer?.role === 0 || !isReservedName(name)

/** Throws 409 reserved_name for a name that the viewer may not give. */
export function assertMayGiveName(viewer: Viewer | null, name: string): void {
  if (!mayGiveName(viewer, name)) throw new Problem(409, 'reserved_name', `The name ${name} is reserved: choose another.`)
}

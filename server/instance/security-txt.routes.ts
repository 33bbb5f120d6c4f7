import { Router } from 'express'
import { config, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'

const VALID_DAYS = 180
const DAY_MS = 86_400_000

/** `security.txt` (RFC 9116): the contact for reports of security vulnerabilities of this instance. */
export const securityTxtRouter = Router()

securityTxtRouter.get(['/.well-known/security.txt', '/security.txt'], limitRate('client'), (_request, response) => {
  response.type('text/plain; charset=utf-8').send(securityTxt(new Date()))
})

/**
 * The text: `instance.securitytxt`, or the administrator's address; with the fields that RFC 9116 requires where it has none of its own.
 */
export function securityTxt(now: Date): string {
  const lines = config.instance.securitytxt.split(/\r?\n/).filter(line => line.trim() !== '')
  const has = (field: string) => lines.some(line => line.toLowerCase().startsWith(`${field.toLowerCase()}:`))
  if (!has('Contact')) lines.push(`Contact: ${defaultContact()}`)
  if (!has('Expires')) lines.push(`Expires: ${expiry(now)}`)
  if (!has('Canonical')) lines.push(`Canonical: ${instanceOrigin()}/.well-known/security.txt`)
  const { languages } = config.instance
  if (!has('Preferred-Languages') && languages.length > 0) lines.push(`Preferred-Languages: ${languages.join(', ')}`)
  return `${lines.join('\n')}\n`
}

/** Nobody reads the address of the default configuration (RFC 2606). */
function defaultContact(): string {
  const { email } = config.admin
  return /@example\.(com|net|org)$/i.test(email) ? `${instanceOrigin()}/about` : `mailto:${email}`
}

/** The start of a day, less than a year ahead (RFC 9116 §2.5.5), so that the text is the same all day. */
function expiry(now: Date): string {
  return new Date(Math.floor(now.getTime() / DAY_MS + VALID_DAYS) * DAY_MS).toISOString().replace('.000', '')
}

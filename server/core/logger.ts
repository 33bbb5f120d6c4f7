import winston from 'winston'
import { anonymizeIp } from './client-network.ts'
import { config } from './config.ts'

/** The log of this process: one line per message on standard error, filtered by `log.level`. */
export const logger = winston.createLogger({
  level: 'info',
  format: winston.format.combine(
    winston.format(line => (isRepeated(line.error) ? false : line))(),
    winston.format.timestamp(),
    winston.format.printf(({ timestamp, level, message, ...rest }) => {
      const details = Object.keys(rest).length > 0 ? ' ' + JSON.stringify(rest, toLoggable) : ''
      return `${timestamp} ${level} ${escapeControls(String(message))}${escapeControls(details)}`
    })
  ),
  transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })]
})

/** Applies `log.level`; to be called once the configuration is loaded. */
export function configureLogger(): void {
  logger.level = config.log.level
}

/** Returns an IP address as it may be logged: without what tells one client from its neighbours if `log.anonymize_ip` is on. */
export function loggedIp(ip: string | undefined): string | undefined {
  return ip !== undefined && config.log.anonymize_ip ? anonymizeIp(ip) : ip
}

let isServiceError: (error: unknown) => boolean = () => false
let serviceErrorAt = -Infinity

/** Sets the function that says whether an error means that a service is away (set by app): of lines with such an error one a second is logged. */
export function limitLogOf(isAway: (error: unknown) => boolean): void {
  isServiceError = isAway
}

function isRepeated(error: unknown): boolean {
  if (!isServiceError(error)) return false
  if (performance.now() - serviceErrorAt < 1000) return true
  serviceErrorAt = performance.now()
  return false
}

/** Writes control characters as JSON does, so that no text from outside ends its line or changes the terminal. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function toLoggable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return isServiceError(value) ? value.message : { ...value, message: value.message, stack: value.stack }
  return typeof value === 'bigint' ? Number(value) : value
}

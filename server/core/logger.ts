import winston from 'winston'
import { config } from './config.ts'

/** The log of this process: one line per message on standard error, filtered by `log.level`. */
export const logger = winston.createLogger({
  level: 'info',
  format: winston.format.combine(
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

/** Returns an IP address as it may be logged: with its last part zeroed if `log.anonymize_ip` is on. */
export function loggedIp(ip: string | undefined): string | undefined {
  return config.log.anonymize_ip ? ip?.replace(/([.:])[^.:]*$/, '$10') : ip
}

/** Writes control characters as JSON does, so that no text from outside ends its line or changes the terminal. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function toLoggable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { ...value, message: value.message, stack: value.stack }
  return typeof value === 'bigint' ? Number(value) : value
}

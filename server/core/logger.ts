import winston from 'winston'
import { config } from './config.ts'

/** The process's log: one line a message on standard error, level and details from `log.*`. */
export const logger = winston.createLogger({
  level: 'info',
  format: winston.format.combine(
    winston.format.timestamp(),
    winston.format.printf(({ timestamp, level, message, ...rest }) => {
      const details = Object.keys(rest).length > 0 ? ' ' + JSON.stringify(rest, plain) : ''
      return `${timestamp} ${level} ${message}${details}`
    })
  ),
  transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })]
})

/** Applies `log.level`; called once the configuration is read. */
export function configureLogger(): void {
  logger.level = config.log.level
}

/** An address as the log may hold it: the last part cut when `log.anonymize_ip` is on. */
export function loggedIp(ip: string | undefined): string | undefined {
  return config.log.anonymize_ip ? ip?.replace(/([.:])[^.:]*$/, '$10') : ip
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { ...value, message: value.message, stack: value.stack }
  return typeof value === 'bigint' ? Number(value) : value
}

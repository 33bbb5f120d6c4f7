// Loaded into a server by tests (`--import`): shifts Date by the number of milliseconds in the file $CLOCK.
import { readFileSync } from 'node:fs'

const RealDate = Date
let offset = 0
setInterval(() => {
  offset = Number(readFileSync(process.env.CLOCK, 'utf8')) || 0
}, 20).unref()

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + offset] : args))
  }
  static now() {
    return RealDate.now() + offset
  }
}

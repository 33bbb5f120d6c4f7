// Loaded into a server by a test (`--import`): its clock goes wrong by as many milliseconds as the file CLOCK says.
import { readFileSync } from 'node:fs'

const Right = Date
let wrong = 0
setInterval(() => {
  wrong = Number(readFileSync(process.env.CLOCK, 'utf8')) || 0
}, 20).unref()

globalThis.Date = class extends Right {
  constructor(...given) {
    super(...(given.length === 0 ? [Right.now() + wrong] : given))
  }
  static now() {
    return Right.now() + wrong
  }
}

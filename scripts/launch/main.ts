import { join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { run } from './run-launcher.ts'

await run(process.argv.slice(2), join(projectFolder, 'dist/server/main.js'))

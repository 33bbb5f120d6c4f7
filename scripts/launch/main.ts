import { join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { runLauncher } from './run-launcher.ts'

await runLauncher(process.argv.slice(2), join(projectFolder, 'dist/server/main.js'))

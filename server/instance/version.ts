import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { projectFolder } from '../core/config.ts'

/** The PeerTube version whose REST API this server implements. */
export const PEERTUBE_API_VERSION = '6.3.0'

/** The name and version of this software, from package.json. */
export const { name: SOFTWARE_NAME, version: SOFTWARE_VERSION } = z
  .object({ name: z.string(), version: z.string() })
  .parse(JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')))

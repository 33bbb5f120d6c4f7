import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from './core/config.ts'
import { findArchitectureViolations, type SourceFiles } from './test/architecture.ts'
import { LAYERS } from './test/layers.ts'
import { findTables, TABLE_OWNERS, UPWARD_TABLE_READS, UPWARD_TABLE_WRITES } from './test/table-owners.ts'

test('the project has no architecture violations', () => {
  const sources: SourceFiles = {}
  for (const folder of ['server', 'shared', 'client', 'scripts']) {
    for (const entry of readdirSync(join(projectFolder, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile() && /\.(ts|tsx|mjs|js)$/.test(entry.name)) sources[relative(projectFolder, path)] = readFileSync(path, 'utf8')
    }
  }
  expect(Object.keys(sources).length).toBeGreaterThan(50)
  expect(findArchitectureViolations(sources)).toEqual([])
})

test('each table of the migrations has one owner, which is a folder', () => {
  const created = readdirSync(join(projectFolder, 'migrations'))
    .filter(name => name.endsWith('.sql'))
    .flatMap(name => [
      ...readFileSync(join(projectFolder, 'migrations', name), 'utf8').matchAll(/CREATE TABLE (?:IF NOT EXISTS )?"?([a-z_]+)/gi)
    ])
    .map(([, table]) => table!)
  expect(Object.values(TABLE_OWNERS).flat().sort()).toEqual([...new Set(created)].sort())
  for (const folder of Object.keys(TABLE_OWNERS)) expect(LAYERS.flat()).toContain(folder)
})

test('the files that may reach up are there, each with its reason', () => {
  for (const [path, { tables, reason }] of [...Object.entries(UPWARD_TABLE_READS), ...Object.entries(UPWARD_TABLE_WRITES)]) {
    expect(readFileSync(join(projectFolder, path), 'utf8').length).toBeGreaterThan(0)
    expect([path, tables.length > 0, reason.length > 10]).toEqual([path, true, true])
  }
})

test('tables are found wherever a statement names them', () => {
  const { reads, writes } = findTables(`
    WITH gone AS (DELETE FROM videos v USING channels c, actors AS a WHERE true)
    INSERT INTO comments SELECT * FROM playlists p, "users" u LEFT JOIN reactions r ON true;
    UPDATE ONLY uploads SET x = 1 FROM watches; SELECT FROM peers FOR UPDATE SKIP LOCKED`)
  expect([...reads].sort()).toEqual(['actors', 'channels', 'peers', 'playlists', 'reactions', 'users', 'watches'])
  expect([...writes].sort()).toEqual(['comments', 'uploads', 'videos'])
})

test('sources that follow the rules give no violations', () => {
  expect(
    findArchitectureViolations({
      'server/core/config.ts': 'export const home = process.env.HOME',
      'server/core/sql.ts': 'export const run = (s) => sequelize.query<T>(new Sql([s], []))',
      'server/videos/video.model.ts':
        "import { Model, literal } from 'sequelize'\nimport { home } from '../core/config.ts'\nimport type { Video } from '../../shared/videos.ts'\nliteral('random()')\nliteral(`now()`)",
      'server/videos/videos.query.ts':
        "import { sql } from '../core/sql.ts'\nimport './video.model.ts'\n// SELECT ${x} and process.env are only talk\nsql`SELECT * FROM videos WHERE id = ${id}`\nsay(`Update ${name}`)",
      'server/main.ts': "import './app/web.ts'",
      'server/app/web.ts': "const page = await import('../pages/home.ts')",
      'server/pages/home.ts': "export { home } from '../core/config.ts'",
      'shared/videos.ts': "import { z } from 'zod'\nimport { id } from './ids.ts'",
      'shared/short-uuid.ts':
        "export const id = 1\nexport type Kind = 'api' | 'web'\nexport const kind = z.literal(id)\nexport default 'x'",
      'client/src/main.tsx':
        "import { render } from 'preact'\nimport type { Video } from '../../shared/videos.ts'\nimport { type Id, type Page } from '../../shared/ids.ts'\nimport type { z } from 'zod'\nimport './main.css'",
      'server/videos/videos.test.ts': "import '../app/web.ts'\nprocess.env.TZ = 'UTC'",
      'server/test/instance.ts': "import '../app/web.ts'"
    })
  ).toEqual([])
})

const VIOLATIONS: [string, SourceFiles, RegExp][] = [
  ['an import of a higher layer', { 'server/core/job.ts': "import { x } from '../videos/videos.ts'" }, /down, not up/],
  ['a type import of a higher layer', { 'server/actors/a.ts': "import type {\n  X\n} from '../accounts/b.ts'" }, /down, not up/],
  ['a side-effect import of a higher layer', { 'server/media/a.ts': "import '../videos/b.ts'" }, /down, not up/],
  ['a dynamic import of a higher layer', { 'server/media/a.ts': "const a = await import( '../videos/b.ts' )" }, /down, not up/],
  ['a re-export of a higher layer', { 'server/core/a.ts': "export * from '../videos/b.ts'" }, /down, not up/],
  ['two imports on one line', { 'server/core/a.ts': "import a from 'x'; import b from '../videos/b.ts'" }, /down, not up/],
  ['an import of the same layer', { 'server/instance/a.ts': "import { x } from '../notifications/b.ts'" }, /not sideways/],
  ['features that import each other', { 'server/reactions/a.ts': "import { x } from '../comments/b.ts'" }, /not sideways/],
  ['a folder without a layer', { 'server/app/a.ts': "import { x } from '../cellar/b.ts'" }, /cellar is in no layer/],
  ['a server that imports the client', { 'server/pages/a.ts': "import { x } from '../../client/src/b.ts'" }, /only server and shared/],
  [
    'an import cycle of two files',
    { 'server/core/a.ts': "import './b.ts'", 'server/core/b.ts': "import './a.ts'" },
    /circle.*a\.ts -> server\/core\/b\.ts -> server\/core\/a\.ts/
  ],
  [
    'an import cycle of three files in the client',
    { 'client/src/a.ts': "import './b.ts'", 'client/src/b.ts': "import './c.ts'", 'client/src/c.ts': "import type { A } from './a.ts'" },
    /circle/
  ],
  ['shared that imports a library', { 'shared/a.ts': "import { x } from 'express'" }, /only zod/],
  ['shared that imports the server', { 'shared/a.ts': "import type { X } from '../server/core/a.ts'" }, /only zod/],
  ['zod in the browser', { 'client/src/a.ts': "import { z } from 'zod'" }, /zod stays out/],
  ['zod in the browser beside a type', { 'client/src/a.ts': "import { type ZodType, z } from 'zod'" }, /zod stays out/],
  ['a value from shared in the client', { 'client/src/a.ts': "import { videos } from '../../shared/videos.ts'" }, /only types/],
  ['the server in the client', { 'client/src/a.ts': "import type { x } from '../../server/core/a.ts'" }, /only client and shared/],
  ['an import of a higher layer of the client', { 'client/src/ui/a.tsx': "import { x } from '../page/b.ts'" }, /down, not up/],
  ['a style of a higher layer of the client', { 'client/src/player/a.tsx': "import '../watch/b.css'" }, /down, not up/],
  ['a file of the client that imports a page', { 'client/src/a.ts': "import { x } from './videos/b.ts'" }, /down, not up/],
  ['pages of the client that import each other', { 'client/src/search/a.tsx': "import { x } from '../upload/b.ts'" }, /not sideways/],
  ['a folder of the client without a layer', { 'client/src/cellar/a.ts': "import { x } from '../ui/b.ts'" }, /cellar is in no layer/],
  ['process.env', { 'server/videos/a.ts': 'if (process.env.DEBUG) x()' }, /process\.env/],
  ['process.env by destructuring', { 'server/videos/a.ts': 'const { env } = process' }, /process\.env/],
  ['env imported from node:process', { 'server/videos/a.ts': "import { env } from 'node:process'" }, /process\.env/],
  ['a query through sequelize.query', { 'server/videos/a.ts': 'await sequelize.query(`SELECT 1`)' }, /by itself/],
  ['a query through pg', { 'server/videos/a.ts': 'await client.query<Row>(text)' }, /by itself/],
  [
    'values in an SQL template without the tag',
    { 'server/videos/a.ts': 'const text = `SELECT * FROM videos\n WHERE id = ${id}`' },
    /values in its text/
  ],
  ['SQL concatenated from strings', { 'server/videos/a.ts': "const text = 'SELECT * FROM ' + table" }, /joins SQL/],
  ['an Sql object from a string', { 'server/videos/a.ts': 'new Sql([`x ${id}`], [])' }, /only the sql tag/],
  ['a literal with a value', { 'server/videos/a.ts': 'literal(`"views" + ${by}`)' }, /literal/],
  ['a concatenated literal', { 'server/videos/a.ts': "literal('views + ' + by)" }, /literal/],
  ['a literal of a variable', { 'server/videos/a.ts': 'Sequelize.literal(order)' }, /literal/],
  ['an HTTP client library', { 'server/videos/a.ts': "import { request } from 'undici'" }, /through fediverse/],
  ['fetch past the SSRF guard', { 'server/videos/a.ts': 'const answer = await fetch(url)' }, /asks the network/],
  ['node:https', { 'server/videos/a.ts': "import { request, type ClientRequest } from 'node:https'" }, /asks the network/],
  ['node:net', { 'server/videos/a.ts': "import { connect } from 'node:net'" }, /asks the network/],
  ['a read of a table above', { 'server/actors/a.ts': 'sql`SELECT FROM actors JOIN videos ON true`' }, /reads the table videos of videos/],
  ['a read of the second table of a list', { 'server/actors/a.ts': 'sql`SELECT FROM actors a, users u`' }, /reads the table users/],
  ['an insert into a table above', { 'server/videos/a.ts': 'sql`INSERT INTO comments DEFAULT VALUES`' }, /writes the table comments/],
  ['an update of a table above', { 'server/channels/a.ts': 'sql`UPDATE users SET x = 1`' }, /writes the table users/],
  ['a delete from a table beside', { 'server/views/a.ts': 'sql`DELETE FROM comments`' }, /writes the table comments/],
  ['a file with a meaningless name', { 'server/videos/video-things.ts': '', 'server/videos/utils.ts': '' }, /utils/],
  ['a folder with a meaningless name', { 'client/src/helpers/date.ts': '' }, /helpers/]
]

test.each(VIOLATIONS)('%s is exactly one violation', (_, sources, sentence) => {
  const found = findArchitectureViolations(sources)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(sentence)
})

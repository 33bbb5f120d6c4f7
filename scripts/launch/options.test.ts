import { expect, test } from 'vitest'
import { LAUNCH_HELP, parseLaunchOptions } from './options.ts'
import { CliError } from './cli-error.ts'

test('without options both roles are started, everything else as configured', () => {
  expect(parseLaunchOptions([])).toEqual({ roles: ['web', 'worker'] })
})

test('parses every option', () => {
  expect(
    parseLaunchOptions([
      '--port',
      '9001',
      '--data=/srv/b',
      '--hostname',
      'Videos.example.ORG',
      '--roles',
      'worker, web,worker',
      '--config',
      'a.yaml',
      '--reset-password',
      'root'
    ])
  ).toEqual({
    port: 9001,
    data: '/srv/b',
    hostname: 'videos.example.org',
    roles: ['worker', 'web'],
    config: 'a.yaml',
    resetPassword: 'root'
  })
  for (const more of [[], ['--data', 'x']])
    expect(parseLaunchOptions(['--reset-password', ...more])).toMatchObject({ resetPassword: 'root' })
  expect(parseLaunchOptions(['--reset-password', 'ada', '--data', 'x'])).toMatchObject({ resetPassword: 'ada', data: 'x' })
  expect(parseLaunchOptions(['--help', '--port', '9001'])).toBe('help')
})

test('the help names every option', () => {
  for (const option of ['--port', '--data', '--hostname', '--roles', '--config', '--reset-password', '--help'])
    expect(LAUNCH_HELP).toContain(`  ${option} `)
})

test.each([
  [['--bad'], 'There is no option --bad'],
  [['-x'], 'There is no option -x'],
  [['--Port', '1'], 'There is no option --Port'],
  [['start'], "'start' is not an option"],
  [['--port'], '--port needs a value'],
  [['--port', '--data', 'x'], '--port needs a value'],
  [['--reset-password='], '--reset-password needs a value'],
  [['--data='], '--data needs a value'],
  [['--help=yes'], '--help takes no value'],
  [['--port', '0'], "--port takes a number from 1 to 65535, not '0'"],
  [['--port', '65536'], "--port takes a number from 1 to 65535, not '65536'"],
  [['--port', '9e3'], "--port takes a number from 1 to 65535, not '9e3'"],
  [
    ['--hostname', 'https://a.org/'],
    "--hostname takes a name such as videos.example.org, without scheme, port or path, not 'https://a.org/'"
  ],
  [['--hostname', 'a b'], "--hostname takes a name such as videos.example.org, without scheme, port or path, not 'a b'"],
  [['--roles', 'web,live'], "--roles takes web, worker or both separated by a comma, not 'web,live'"],
  [['--roles', ','], "--roles takes web, worker or both separated by a comma, not ','"]
])('%j is refused with a sentence and exit status 2', (parameters, sentence) => {
  const refused = () => parseLaunchOptions(parameters)
  expect(refused).toThrow(CliError)
  expect(refused).toThrow(`${sentence}. See scripts/start --help.`)
  expect(refused).toThrow(expect.objectContaining({ code: 2 }))
})

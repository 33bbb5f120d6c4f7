import express, { type ErrorRequestHandler } from 'express'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { defineContract } from '../../shared/contract.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { implementContract } from './route.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
})
afterAll(async () => await site?.stop())

it('a handler that finds nothing left to answer with is 404, with and without a cache', async () => {
  const declaration = { summary: 'Gone', tag: 'Test', response: z.object({ id: z.int() }) } as const
  const routes = defineContract({ 'GET /gone': declaration, 'GET /cached': { ...declaration, cache: true } })
  const app = express()
  app.use(implementContract(routes, { 'GET /gone': () => undefined, 'GET /cached': () => undefined }))
  const answerStatus: ErrorRequestHandler = (error, _request, response, _next) => void response.sendStatus(error.status ?? 500)
  app.use(answerStatus)
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  try {
    for (const path of ['gone', 'cached']) expect([path, (await fetch(`http://127.0.0.1:${port}/${path}`)).status]).toEqual([path, 404])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

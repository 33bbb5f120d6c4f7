import type { Router } from 'express'
import { apiRoutes, siteRoutes } from '../app/routes.ts'
import { inboxRouter } from '../fediverse/inbox.routes.ts'
import { filesRouter } from '../videos/files.routes.ts'

type Layer = { route?: { path: string | string[]; methods: Record<string, boolean> }; handle: unknown }

/** Returns every route of the app as `METHOD /path`, those of the API with their prefix. */
export function listSiteRoutes(): string[] {
  const api = routesOf(apiRoutes()).map(route => route.replace(' ', ' /api/v1'))
  const routers = [inboxRouter, filesRouter, ...siteRoutes().map(([, router]) => router)]
  return [...new Set([...api, ...routers.flatMap(routesOf)])]
}

function routesOf(router: Router): string[] {
  return (router as unknown as { stack: Layer[] }).stack.flatMap(({ route, handle }) => {
    if (!route) return typeof handle === 'function' && 'stack' in handle ? routesOf(handle as unknown as Router) : []
    const methods = Object.keys(route.methods).map(method => method.toUpperCase())
    return [route.path].flat().flatMap(path => methods.map(method => `${method} ${path}`))
  })
}

import { Router } from 'express'
import { config, origin } from '../core/config.ts'
import { counted } from '../core/request-rate-limit.ts'
import { Problem } from '../core/problem.ts'
import { INSTANCE_ACTOR } from '../actors/instance-actor.ts'
import { settings } from './server-config.ts'
import { count } from './statistics.query.ts'
import { SOFTWARE, VERSION } from './version.ts'

const VERSIONS = ['2.0', '2.1']

/** NodeInfo 2.0 and 2.1 (nodeinfo.diaspora.software): how other servers and crawlers learn what runs here. */
export const nodeinfoRouter = Router()

nodeinfoRouter.get('/.well-known/nodeinfo', counted('client'), (_request, response) => {
  response.json({
    links: [
      ...VERSIONS.map(version => ({
        rel: `http://nodeinfo.diaspora.software/ns/schema/${version}`,
        href: `${origin()}/nodeinfo/${version}.json`
      })),
      { rel: 'https://www.w3.org/ns/activitystreams#Application', href: `${origin()}/accounts/${INSTANCE_ACTOR}` }
    ]
  })
})

nodeinfoRouter.get('/nodeinfo/:version.json', counted('client'), async (request, response) => {
  const version = request.params.version as string
  if (!VERSIONS.includes(version)) throw new Problem(404, null, 'Nodeinfo schema version not handled')
  response.setHeader('Content-Type', `application/json; charset=utf-8; profile="http://nodeinfo.diaspora.software/ns/schema/${version}#"`)
  response.end(JSON.stringify(await nodeinfo(version)))
})

async function nodeinfo(version: string) {
  const [
    numbers,
    {
      search,
      plugin,
      theme,
      email,
      contactForm,
      transcoding,
      live,
      import: imports,
      autoBlacklist,
      avatar,
      video,
      videoCaption,
      user,
      trending,
      tracker,
      signup
    }
  ] = await Promise.all([count(), settings()])
  return {
    version,
    software: { name: SOFTWARE, version: VERSION },
    protocols: ['activitypub'],
    services: { inbound: [], outbound: [] },
    openRegistrations: signup.allowed,
    usage: {
      users: { total: numbers.totalUsers, activeMonth: numbers.totalMonthlyActiveUsers, activeHalfyear: numbers.activeHalfyear },
      localPosts: numbers.totalLocalVideos,
      localComments: numbers.totalLocalVideoComments
    },
    metadata: {
      taxonomy: { postsName: 'Videos' },
      nodeName: config.instance.name,
      nodeDescription: config.instance.short_description,
      nodeConfig: {
        search: { remoteUri: search.remoteUri },
        plugin: { registered: plugin.registered },
        theme: { registered: theme.registered, default: theme.default },
        email,
        contactForm,
        transcoding: { hls: transcoding.hls, web_videos: transcoding.web_videos, enabledResolutions: transcoding.enabledResolutions },
        live: {
          enabled: live.enabled,
          transcoding: { enabled: live.transcoding.enabled, enabledResolutions: live.transcoding.enabledResolutions }
        },
        import: { videos: imports.videos },
        autoBlacklist,
        avatar,
        video,
        videoCaption,
        user,
        trending: { videos: { intervalDays: trending.videos.intervalDays } },
        tracker
      }
    }
  }
}

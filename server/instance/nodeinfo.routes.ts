import { Router } from 'express'
import { config, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { Problem } from '../core/problem.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { getServerConfig } from './server-config.ts'
import { countStatistics } from './statistics.query.ts'
import { SOFTWARE_NAME, SOFTWARE_VERSION } from './version.ts'

const VERSIONS = ['2.0', '2.1']

/** NodeInfo 2.0 and 2.1 (nodeinfo.diaspora.software), which describes this server to other servers and crawlers. */
export const nodeinfoRouter = Router()

nodeinfoRouter.get('/.well-known/nodeinfo', limitRate('client'), (_request, response) => {
  response.json({
    links: [
      ...VERSIONS.map(version => ({
        rel: `http://nodeinfo.diaspora.software/ns/schema/${version}`,
        href: `${instanceOrigin()}/nodeinfo/${version}.json`
      })),
      { rel: 'https://www.w3.org/ns/activitystreams#Application', href: `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}` }
    ]
  })
})

nodeinfoRouter.get('/nodeinfo/:version.json', limitRate('client'), async (request, response) => {
  const version = request.params.version as string
  if (!VERSIONS.includes(version)) throw new Problem(404, null, 'Nodeinfo schema version not handled')
  response.setHeader('Content-Type', `application/json; charset=utf-8; profile="http://nodeinfo.diaspora.software/ns/schema/${version}#"`)
  response.end(JSON.stringify(await buildNodeinfo(version)))
})

async function buildNodeinfo(version: string) {
  const [
    statistics,
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
  ] = await Promise.all([countStatistics(), getServerConfig()])
  return {
    version,
    software: { name: SOFTWARE_NAME, version: SOFTWARE_VERSION },
    protocols: ['activitypub'],
    services: { inbound: [], outbound: [] },
    openRegistrations: signup.allowed,
    usage: {
      users: { total: statistics.totalUsers, activeMonth: statistics.totalMonthlyActiveUsers, activeHalfyear: statistics.activeHalfyear },
      localPosts: statistics.totalLocalVideos,
      localComments: statistics.totalLocalVideoComments
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

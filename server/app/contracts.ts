import type { Contract } from '../../shared/contract.ts'
import { abuses } from '../../shared/abuses.ts'
import { accounts } from '../../shared/accounts.ts'
import { administration } from '../../shared/administration.ts'
import { blocklists } from '../../shared/blocklists.ts'
import { channels } from '../../shared/channels.ts'
import { comments } from '../../shared/comments.ts'
import { federation } from '../../shared/federation.ts'
import { follows, subscriptions, subscriptionVideos } from '../../shared/follows.ts'
import { instance } from '../../shared/instance.ts'
import { playlists } from '../../shared/playlists.ts'
import { reactions } from '../../shared/reactions.ts'
import { search } from '../../shared/search.ts'
import { transcoding } from '../../shared/transcoding.ts'
import { uploads } from '../../shared/uploads.ts'
import { videos } from '../../shared/videos.ts'
import { views } from '../../shared/views.ts'

/** Every declared route, for OpenAPI. */
export const contracts: Contract[] = [
  videos,
  views,
  search,
  uploads,
  transcoding,
  channels,
  accounts,
  blocklists,
  follows,
  subscriptions,
  subscriptionVideos,
  reactions,
  comments,
  playlists,
  abuses,
  federation,
  administration,
  instance
]
